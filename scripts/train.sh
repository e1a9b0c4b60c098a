#!/usr/bin/env bash
# Runs the learner of a preset, in either mode: ms-swift's own entry point, or a training repository's.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<'END'
Usage: bash scripts/train.sh config=PATH gpus=LIST [entry=MODULE] [dry_run=true] [swift=PATH] [python=PATH]

Becomes `torchrun` on ms-swift's RLHF entry point, with the arguments that the preset means for so many GPUs. It looks at
no server; for a server-mode preset use scripts/grpo_train_server_mode.sh, which does and then runs the same.

  config=PATH    the preset
  gpus=LIST      GPUs of the learner, such as 6,7; one process each
  entry=MODULE   run `MODULE --config PATH` of a training repository, not ms-swift; default: entry of
                 [tool.rollout-split] in the project's pyproject.toml
  dry_run=true   print the command and start nothing
  swift=PATH     the `swift` whose environment runs the learner; default: torchrun on PATH
  python=PATH    the interpreter that runs the learner

Exit status:
  1    the preset has errors
  2    wrong usage, or the preset cannot be read, or validate-config or torchrun cannot be run
  otherwise torchrun's
END
}

launch train "$@"
