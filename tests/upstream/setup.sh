#!/usr/bin/env bash
# Makes the environments that `make test-upstream` asks; anew only when their requirements have changed.
# PYTHON names the interpreter; the default is that of .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

make_environment() {
  local environment=$1 requirements=$2
  # Copied last, so a half-made environment is made again.
  if cmp --silent "$requirements" "$environment/requirements.txt"; then
    return
  fi
  echo "making $environment (some minutes, about 2 GB)"
  rm -rf -- "$environment"
  "${PYTHON:-.venv/bin/python}" -m venv "$environment"
  # deepspeed is only asked for its configuration, so none of its operators is compiled.
  DS_BUILD_OPS=0 "$environment/bin/python" -m pip install -qq --disable-pip-version-check \
    --requirement "$requirements"
  cp -- "$requirements" "$environment/requirements.txt"
}

make_environment .venv-upstream tests/upstream/requirements.txt
make_environment .venv-upstream-oldest tests/upstream/requirements-oldest.txt
