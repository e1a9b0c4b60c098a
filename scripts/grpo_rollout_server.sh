#!/usr/bin/env bash
# Starts the rollout server of a server-mode preset. It has all its settings from the preset.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'END'
Usage: bash scripts/grpo_rollout_server.sh config=PATH gpus=LIST [key=value ...]

Starts `swift rollout` for a server-mode preset, once the preset is valid and this machine is fit for it. It loads for
minutes, says when it is ready, and runs until it is stopped.

  config=PATH           the preset
  gpus=LIST             GPUs of the server, such as 0,1,2,3,4,5; as many as TP x DP
  dry_run=true          print the command and start nothing
  preflight_only=true   check preset and machine, print all findings, start nothing
  release_wait=SECONDS  how long an ended run may take to give its GPUs' memory and its port back; default 75
  allow=ID[,ID]         let these findings of the machine only warn (`validate-config --explain all` lists them)
  logs=DIR              where each start gets a folder; default logs/rollout-split
  show=live|quiet       whether the server's output is shown, too; default live
  swift=PATH            the `swift` to run; default the one on PATH
  python=PATH           the interpreter of another environment to run

Ctrl-C, SIGTERM, SIGHUP and a closed terminal end the server with all its engines. What has not ended after
ROLLOUT_SPLIT_GRACE seconds (default 40), or when Ctrl-C is pressed again, is killed. ROLLOUT_SPLIT_API_KEY guards the
server's routes (ms-swift 4.6).

Exit status:
  0    preflight_only or dry_run, and nothing speaks against the start
  1    refused: the preset has errors, or the machine is not fit; or the server's own
  2    wrong usage, or something cannot be read (preset), written (logs, notes) or run (validate-config, swift)
  3    a defect of rollout-split, or the server's own
  81   the server came up on another port, or another process took its port while it loaded
  82   the server answers /health/, but has another world size, or generates nothing
  83   an engine of the server died
  129, 130, 131, 143   ended by SIGHUP, SIGINT, SIGQUIT, SIGTERM
  otherwise the server's own
END
}

launch server "$@"
