#!/usr/bin/env bash
# Starts the rollout server of a server-mode preset, which sets everything but the GPUs.
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

launch server "$@"
