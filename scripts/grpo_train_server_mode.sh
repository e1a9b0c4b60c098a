#!/usr/bin/env bash
# Starts the learner of a server-mode preset, once its rollout server is ready.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'END'
Usage: bash scripts/grpo_train_server_mode.sh config=PATH gpus=LIST [wait_timeout=SECONDS] [health_check=false]
           [entry=MODULE] [dry_run=true]

Waits for the preset's rollout server (scripts/grpo_rollout_server.sh), checks that it is the right one, and runs
scripts/train.sh in a process group of its own. The server runs on when the learner ends.

  config=PATH            the preset
  gpus=LIST              GPUs of the learner, such as 6,7; one process each; none of the server's
  wait_timeout=SECONDS   how long to wait for http://HOST:PORT/health/; default 300
  health_check=false     look neither at the server nor at its GPUs
  entry=MODULE           run `MODULE --config PATH` of a training repository, not ms-swift
  dry_run=true           print the command and start nothing

Ctrl-C, SIGTERM and SIGHUP end all learner processes. What has not ended after ROLLOUT_SPLIT_GRACE seconds (default 40;
torchrun gives its workers 30) is killed.

Exit status:
  1    the preset has errors, no server answered in time, it is not the preset's, or it uses one of the GPUs
  2    wrong usage, or the preset cannot be read, or validate-config or torchrun is not installed
  129, 130, 143   ended by SIGHUP, SIGINT, SIGTERM
  otherwise the learner's own
END
}

read_options "config gpus wait_timeout health_check entry dry_run" "$@"
wait_timeout=${option[wait_timeout]-300}
[[ $wait_timeout =~ ^[0-9]+([.][0-9]+)?$ ]] || die "wait_timeout is '$wait_timeout'; it must be a number of seconds"

# It tells the warnings, too.
train=(bash "$repo/scripts/train.sh" "config=${option[config]}" "gpus=${option[gpus]}")
plan=(--plan learner --quiet --train-gpus "${option[gpus]%,},")
if [[ ${option[entry]:-} ]]; then
  train+=("entry=${option[entry]}")
  plan+=(--entry "${option[entry]}")
fi
if is_true dry_run false; then
  train+=(dry_run=true)
elif is_true health_check true; then
  plan+=(--preflight --wait "$wait_timeout")
fi
load_plan "${plan[@]}" -- "${option[config]}"
[[ ${fact[host]+known} ]] || die "${option[config]} is not in server mode; scripts/train.sh runs it"
show_facts
run "${train[@]}"
