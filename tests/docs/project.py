"""The project in which the commands of the pages run: presets, the config.json of checkpoints, and runs."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: The checkpoints that presets of the pages name, and the shapes that they have.
MODELS = {
    "Qwen/Qwen2.5-7B-Instruct": "qwen2.5-7b",
    "models/qwen3-vl-4b-summary-1024-merged": "qwen3-vl-4b",
}
#: Runs of docs/gpu-runs.md: two H200, 1 + 1, 4.4 B parameters, DoRA, batch 2 and 8.
RUNS = ROOT / "docs/runs"


def lay_out(folder):
    """Fills a folder that is there."""
    for source in (ROOT / "tests/presets/colocate", ROOT / "docs/start", RUNS):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    for model, shape in MODELS.items():
        (folder / model).mkdir(parents=True)
        shutil.copy(ROOT / f"tests/schema/shape/configs/{shape}.json", folder / model / "config.json")
    (folder / "logs/rollout-split").mkdir(parents=True)
    (folder / "logs/rollout-split/latest-learner").symlink_to(folder / "dora-8")
