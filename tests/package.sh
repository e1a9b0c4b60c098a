#!/usr/bin/env bash
# Builds the sdist, the wheel from it, and installs both as a user would; the sdist runs tests of its own.
set -euo pipefail
CDPATH=""
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
python=${1:?the interpreter that has build, twine, pipx and uv}
made=$PWD/build/package
rm -rf "$made"
mkdir -p "$made/empty"

"$python" -m build --quiet --outdir "$made/dist"
"$python" -m twine check --strict "$made"/dist/*

works() {
  (
    cd "$made/empty"
    cp "$OLDPWD"/docs/start/* .
    for command in validate-config migrate-config rollout-split; do
      "$1/$command" --version
    done
    "$1/migrate-config" --write train.sh > /dev/null
    "$1/validate-config" train.yaml
    "$1/rollout-split" server train.yaml --gpus 0-5 --dry-run 2> /dev/null | grep -q "swift rollout"
    "$1/rollout-split" learner train.yaml --gpus 6,7 --dry-run 2> /dev/null | grep -q "swift.cli.rlhf"
    rm -- *
  )
}

"$python" -m venv "$made/wheel"
"$made/wheel/bin/python" -m pip install --quiet --disable-pip-version-check "$made"/dist/*.whl
works "$made/wheel/bin"
PIPX_HOME=$made/pipx PIPX_BIN_DIR=$made/pipx/bin "$python" -m pipx install --quiet .
works "$made/pipx/bin"
UV_TOOL_DIR=$made/uv UV_TOOL_BIN_DIR=$made/uv/bin "$python" -m uv tool install --quiet .
works "$made/uv/bin"

tar -xf "$made"/dist/*.tar.gz -C "$made"
cd "$made"/rollout_split-*/
"$made/wheel/bin/python" -m pip install --quiet --disable-pip-version-check "pip>=25.1"
"$made/wheel/bin/python" -m pip install --quiet --disable-pip-version-check --group tests
"$made/wheel/bin/python" -m pytest --quiet --collect-only > "$made/collected.txt"
"$made/wheel/bin/python" -m pytest --quiet tests/docs tests/tools tests/schema/test_shipped_presets.py
