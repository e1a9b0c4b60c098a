#!/usr/bin/env bash
# Migrates a copy of two colocate presets: shows the diff, writes it, validates it, and prints both launch commands.
set -euo pipefail
CDPATH=""
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

presets=(configs/train/grpo/summary_1024.yaml configs/train/grpo/summary_1024_attr_key_recall.yaml)

run() {
  printf '\n$ %s\n' "$*"
  "$@"
}

rm -rf build/demo
mkdir -p build
cp -R tests/presets/colocate build/demo
# A plan needs only the config.json of the checkpoint.
checkpoint=build/demo/models/qwen3-vl-4b-summary-1024-merged
mkdir -p "$checkpoint"
cp tests/schema/shape/configs/qwen3-vl-4b.json "$checkpoint/config.json"
cd build/demo

run migrate-config "${presets[@]}" || [[ $? -eq 1 ]] # exit code 1 says that files would change
run migrate-config --write "${presets[@]}"
run validate-config "${presets[@]}"
echo "(no findings)"
for preset in "${presets[@]}"; do
  run bash ../../scripts/grpo_rollout_server.sh "config=$preset" gpus=0-5 dry_run=true
  run bash ../../scripts/grpo_train_server_mode.sh "config=$preset" gpus=6,7 dry_run=true
done
run rollout-split plan "${presets[0]}" --gpus 8 --gpu-memory 80 --prompt-tokens 2000
printf '\nThe migrated tree is in build/demo; the commands are in .venv/bin.\n'
