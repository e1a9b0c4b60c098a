#!/usr/bin/env bash
# Runs the learner of a preset in either mode, with ms-swift's own entry point or a training repository's.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

launch train "$@"
