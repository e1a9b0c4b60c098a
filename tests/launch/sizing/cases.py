"""What was measured: a line of JSON for each engine and each learner, in the files of `measured/`.

`tests/gpu/sizes.py` writes such lines; each names a config of tests/schema/shape/configs, and its source.
"""

import json
from pathlib import Path

from schema.shape.model import shape

HERE = Path(__file__).parent
CONFIGS = HERE.parents[1] / "schema/shape/configs"
LINES = [
    {"source": file.stem, "name": ""} | json.loads(line)
    for file in sorted((HERE / "measured").glob("*.jsonl"))
    for line in file.read_text(encoding="utf-8").splitlines()
]
ENGINES = [line for line in LINES if line["kind"] == "engine"]
LEARNERS = [line for line in LINES if line["kind"] == "learner"]
#: MiB of the GPU on which tests/gpu/sizes.py ran, as nvidia-smi tells them.
H200 = 143771


def model(name):
    """The shape of a model that was measured."""
    file = CONFIGS / f"{name.removesuffix('-weights')}.json"
    return shape(json.loads(file.read_text(encoding="utf-8")))


def called(line):
    """What a test calls a line."""
    return "-".join(str(line[key]) for key in ("source", "name", "model") if line[key]).replace(" ", "_")
