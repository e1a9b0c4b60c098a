#!/usr/bin/env bash
# Starts the rollout server of a server-mode preset. It has all its settings from the preset.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'END'
Usage: bash scripts/grpo_rollout_server.sh config=PATH gpus=LIST [dry_run=true]

Starts `swift rollout` for a server-mode preset, in a process group of its own, once the preset is valid and its port
is free. It loads for minutes, then answers http://HOST:PORT/health/, and runs until it is stopped.

  config=PATH    the preset
  gpus=LIST      GPUs of the server, such as 0,1,2,3,4,5; as many as TP x DP
  dry_run=true   print the command and start nothing

Ctrl-C, SIGTERM and SIGHUP end the server with all its engines. What has not ended after ROLLOUT_SPLIT_GRACE seconds
(default 40) is killed.

Exit status:
  1    the preset has errors, or its port is taken
  2    wrong usage, or the preset cannot be read, or validate-config or swift is not installed
  129, 130, 143   ended by SIGHUP, SIGINT, SIGTERM
  otherwise the server's own
END
}

# claim: leaves a note of who serves where on which GPUs; the learner's launcher refuses to share them.
claim() {
  local file=${fact[claim_file]}
  local folder=${file%/*}
  install -d -m 0700 -- "$folder"
  [[ -O $folder && ! -L $folder ]] || die "$folder belongs to someone else"
  leftovers+=("$file")
  rm -f -- "$file"
  (umask 077 && printf '%s\n' "${fact[claim]}" >"$file")
}

read_options "config gpus dry_run" "$@"
plan=(--plan server --rollout-gpus "${option[gpus]%,}," -- "${option[config]}")
if is_true dry_run false; then
  load_plan "${plan[@]}"
  show_facts
  exec "$tool" --shown --quiet "${plan[@]}"
fi
load_plan --preflight --launcher "$$" "${plan[@]}"
show_facts
require_command
claim
run env "${environment[@]}" "${argv[@]}"
