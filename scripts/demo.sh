#!/usr/bin/env bash
# The main job on a copy of the colocate originals: diff, report, write, validate, both launch commands.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

demo=build/demo
presets=(configs/train/grpo/summary_1024.yaml configs/train/grpo/summary_1024_attr_key_recall.yaml)

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() { say "$@"; "$@"; }

rm -rf "$demo"
mkdir -p build
cp -R tests/presets/colocate "$demo"
launchers=$PWD/scripts
cd "$demo"

say migrate-config "${presets[@]}"
migrate-config "${presets[@]}" || [[ $? -eq 1 ]] # 1: files would change
run migrate-config --write --report json "${presets[@]}" >migration.json
echo "(the report as JSON: $demo/migration.json)"
run validate-config "${presets[@]}"
echo "(no findings)"
run validate-config --split "${presets[@]}"
for preset in "${presets[@]}"; do
  run bash "$launchers/grpo_rollout_server.sh" "config=$preset" gpus=0,1,2,3,4,5 dry_run=true
  run bash "$launchers/grpo_train_server_mode.sh" "config=$preset" gpus=6,7 dry_run=true
done
