#!/usr/bin/env bash
# Makes the environments that `make test-upstream` asks; makes one again only when its requirements have changed.
# PYTHON names the interpreter; the default is that of .venv.
set -euo pipefail
CDPATH=""
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

# make_environment FOLDER REQUIREMENTS [UNWANTED ...]: unwanted packages are required by others, and used by none.
make_environment() {
  local environment=$1 requirements=$2 unwanted=("${@:3}")
  # Copied last, so a half-made environment is made again.
  if cmp --silent "$requirements" "$environment/requirements.txt"; then
    return
  fi
  echo "making $environment (up to some minutes and 4 GB)"
  rm -rf -- "$environment"
  "${PYTHON:-.venv/bin/python}" -m venv "$environment"
  # deepspeed is only asked for its configuration, so none of its operators is compiled.
  DS_BUILD_OPS=0 "$environment/bin/python" -m pip install -qq --disable-pip-version-check \
    --requirement "$requirements"
  if ((${#unwanted[@]})); then "$environment/bin/python" -m pip uninstall -qq --yes "${unwanted[@]}"; fi
  cp -- "$requirements" "$environment/requirements.txt"
}

# make_editor: the servers that editors run for YAML, from npm, with a Node.js from pip.
make_editor() {
  local environment=.venv-upstream-editor wanted=tests/upstream/package.json
  make_environment "$environment" tests/upstream/requirements-editor.txt
  if cmp --silent "$wanted" "$environment/installed.json"; then
    return
  fi
  cp -- "$wanted" "$environment/package.json"
  PATH="$PWD/$environment/bin:$PATH" npm install --prefix "$environment" --silent --no-audit --no-fund
  cp -- "$wanted" "$environment/installed.json"
}

# One that is unpacked or compiled keeps a single core busy, so they are made beside each other.
made=()
make_editor &
made+=("$!")
make_environment .venv-upstream-hook tests/upstream/requirements-hook.txt &
made+=("$!")
make_environment .venv-upstream tests/upstream/requirements.txt &
made+=("$!")
make_environment .venv-upstream-oldest tests/upstream/requirements-oldest.txt &
made+=("$!")
# vLLM requires them, but their usual builds need CUDA, and `import swift` fails on that.
make_environment .venv-upstream-cpu tests/upstream/requirements-cpu.txt torchaudio torchcodec torchvision &
made+=("$!")
status=0
for job in "${made[@]}"; do wait "$job" || status=1; done
exit "$status"
