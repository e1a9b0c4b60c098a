#!/usr/bin/env bash
# Starts the learner of a server-mode preset, once its rollout server is ready, and watches the server meanwhile.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'END'
Usage: bash scripts/grpo_train_server_mode.sh config=PATH gpus=LIST [key=value ...]

Waits for the preset's rollout server (scripts/grpo_rollout_server.sh), checks that it is the right one, and runs the
learner. If the server dies or fails to load weights, the learner is ended. The server runs on when the learner ends.

  config=PATH            the preset
  gpus=LIST              GPUs of the learner, such as 6,7; one process each; none of the server's
  entry=MODULE           run `MODULE --config PATH` of a training repository, not ms-swift; default: entry of
                         [tool.rollout-split] in the project's pyproject.toml
  wait_timeout=SECONDS   how long to wait for the server; default 300
  trust_server=HOST:PORT take a server that was not started by the launcher on this node; nothing tells its model
  health_check=false     look neither at the machine nor at the server, before or meanwhile
  weights_check=false    do not compare the server's answers before and after
  dry_run=true           print the command and start nothing
  preflight_only=true    check preset and machine, print all findings, start nothing
  release_wait=SECONDS   how long an ended run may take to give its GPUs' memory back; default 75
  allow=ID[,ID]          let these findings of the machine only warn (`validate-config --explain all` lists them)
  logs=DIR               where each start gets a folder; default logs/rollout-split
  show=live|quiet        whether the learner's output is shown, too; default live
  swift=PATH             the `swift` whose environment runs the learner; default: torchrun on PATH
  python=PATH            the interpreter that runs the learner

Ctrl-C, SIGTERM, SIGHUP and a closed terminal end all learner processes. What has not ended after ROLLOUT_SPLIT_GRACE
seconds (default 40; torchrun gives its workers 30), or when Ctrl-C is pressed again, is killed. ROLLOUT_SPLIT_API_KEY
opens a guarded server.

Exit status:
  0    the learner ended well; or dry_run or preflight_only, and nothing speaks against the start
  1    refused: the preset has errors, the machine is not fit, or no right server in time; or the learner's own
  2    wrong usage, or something cannot be read (preset), written (logs, notes) or run (validate-config, torchrun)
  3    a defect of rollout-split, or the learner's own
  84   the rollout server died while the learner trained
  85   the rollout server failed to load weights, which ms-swift only logs
  86   the learner finished, but the server's weights never changed
  87   completions of async_generate failed, and the learner waited for them all the same
  129, 130, 131, 143   ended by SIGHUP, SIGINT, SIGQUIT, SIGTERM
  otherwise the learner's own
END
}

launch learner "$@"
