#!/usr/bin/env bash
# Starts the learner of a server-mode preset once its rollout server is ready, and watches both.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

launch learner "$@"
