"""What a plan says to type really makes the plan, and both sides then start."""

import re
import shlex
import shutil

import pytest
import yaml
from click.testing import CliRunner

from launch.cli import main as rollout_split
from migrate.cli import main as migrate_config
from schema.cli import main as validate_config
from schema.resolve.project import _project as projects
from tests.docs.project import ROOT
from tests.docs.project import lay_out
from tests.launch.planning.test_plan import plans

SUMMARY = "configs/train/grpo/summary_1024.yaml"
#: Where a nested preset has what a plan changes.
SECTIONS = {"async_generate": "rlhf", "steps_per_generation": "rlhf", "vllm_tensor_parallel_size": "rlhf"}
SPLIT = ("mode", "rollout_gpus", "train_gpus", "tensor_parallel", "async_generate")
LARGE = [(8, 141), (4, 141)]
BATCH = ("per_device_train_batch_size", "gradient_accumulation_steps", "steps_per_generation", "completions")


def run(main, line):
    ran = CliRunner().invoke(main, shlex.split(line)[1:])
    assert ran.exit_code == 0, (line, ran.output)


def change(text, file):
    """Changes settings of a preset, as an operator would by hand."""
    settings = dict(each.split() for each in text.split(", "))
    processes = settings.pop("NPROC_PER_NODE", None)
    if file.suffix == ".sh":
        if processes:
            file.write_text(re.sub(r"NPROC_PER_NODE=\d+", f"NPROC_PER_NODE={processes}", file.read_text()))
        for name, value in settings.items():
            others = re.sub(rf" *--{name} .*\n", "", file.read_text())
            file.write_text(others.replace("swift rlhf \\\n", f"swift rlhf \\\n    --{name} {value} \\\n"))
        return
    data = yaml.safe_load(file.read_text())
    if processes:
        data["ENV"]["NPROC_PER_NODE"] = processes
    for name, value in settings.items():
        section = data[SECTIONS.get(name, "training")] if "rlhf" in data else data
        section[name] = yaml.safe_load(value)
    file.write_text(yaml.safe_dump(data))


def follow(steps, folder):
    """Does what a plan says, and only prints the starts; returns the preset that came of it."""
    for step in steps:
        if numbers := re.fullmatch(r"set rollout-gpus = (\d+) and train-gpus = (\d+) in \[tool.+", step):
            project = (folder / "pyproject.toml").read_text()
            for name, number in zip(("rollout-gpus", "train-gpus"), numbers.groups(), strict=True):
                project = re.sub(rf"^{name} = .*", f"{name} = {number}", project, flags=re.MULTILINE)
            (folder / "pyproject.toml").write_text(project)
            projects.cache_clear()
        elif settings := re.fullmatch(r"set (.+) in (\S+)", step):
            change(settings[1], folder / settings[2])
        elif not step.startswith("bash "):
            main, more = (migrate_config, "") if step.startswith("migrate") else (rollout_split, " --dry-run")
            run(main, step + more)
    return next(word for word in steps[-1].split() if word.endswith((".yaml", ".sh")))


@pytest.fixture
def project(tmp_path, monkeypatch):
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    projects.cache_clear()


def migrated(project):
    """The shipped presets as they are in server mode, in a project that says 6 + 2."""
    shutil.copytree(ROOT / "configs", project / "configs", dirs_exist_ok=True)
    (project / "pyproject.toml").write_text("[tool.rollout-split]\nrollout-gpus = 6\ntrain-gpus = 2\n")
    return SUMMARY


PRESETS = {
    "a script": lambda project: "train.sh",
    "flat": lambda project: "flat.yaml",
    "nested": lambda project: "nested.yaml",
    "nested, with a base": lambda project: SUMMARY,
    "a server, in a project": migrated,
}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    "node", [(8, 80), (2, 80), *(pytest.param(node, marks=pytest.mark.long) for node in LARGE)]
)
def test_following_the_hint_gives_the_plan(project, preset, node):
    name = PRESETS[preset](project)
    args = "--gpus", node[0], "--gpu-memory", node[1], "--prompt-tokens", 1000
    told = plans(name, *args)
    if not told["hint"]:
        assert told["own"] == 0
        return
    written = follow(told["hint"], project)
    run(validate_config, f"validate-config {written}")
    after = plans(written, *args)
    first, own = told["plans"][0], after["plans"][after["own"]]
    assert {name: own[name] for name in SPLIT + BATCH} == {name: first[name] for name in SPLIT + BATCH}
