"""The JSON Schemas that editors get, asked with a validator that many programs use."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from schema import catalogue
from schema.editors import SUBJECTS
from schema.editors import json_schema
from schema.editors.arguments import of_grpo
from schema.layouts.flat import is_learner_half
from schema.layouts.flat import is_server_half
from schema.models.server import RolloutServerBlock
from schema.models.trainer import ColocateTrainerConfig
from schema.resolve import Workspace
from schema.resolve import find_project
from schema.swift import argument
from schema.swift.release import target

REPOSITORY = Path(__file__).parents[2]
SHIPPED = [*REPOSITORY.glob("configs/**/*.yaml"), *REPOSITORY.glob("tests/presets/**/*.yaml")]
GOOD, BAD = (
    [*REPOSITORY.glob("tests/examples/base/*.yaml"), *REPOSITORY.glob(f"tests/examples/rules/*/{kind}/*.yaml")]
    for kind in ("good", "bad")
)
#: Bytes that a schema may have; editors read it again for each file.
MOST = 150_000
#: Values of every kind, and texts of some.
VALUES = [True, False, 0, 1, 2, 3.5, -1, 1e-5, "", "x", "8", "-3", " 8 ", "1e-6", "true", "YES", "inf", [], ["x"]]
VALUES += [["8", "9"], {}, {"a": 1}, "no", "steps", "zero2", "left"]


@cache
def schema(subject, version=None, root=REPOSITORY):
    return json_schema(subject, target(version), find_project(root / "preset.yaml"))


@cache
def validator(*asked):
    return Draft7Validator(schema(*asked))


def marks(said, *asked):
    return [error.message for error in validator(*asked).iter_errors(said)]


def subject(file):
    own = Workspace().tree(file)
    return "rollout" if is_server_half(file, own) else "flat" if is_learner_half(own) else "nested"


def marks_in(file):
    """What an editor marks in an example, whose first line may name a release."""
    whole = file.with_name(file.name.replace(".rollout.yaml", ".yaml")).read_text()
    named, project = re.match(r"# options: .*--swift-version (\S+)", whole), find_project(file)
    asked = (subject(file), named[1] if named else project.settings.swift_version, project.root)
    return marks(yaml.safe_load(file.read_text()), *asked)


def arguments(kind, version=None):
    """The properties of all arguments."""
    said = schema(kind, version)
    return said["$defs"]["arguments"]["properties"] if kind == "nested" else said["properties"]


def examples(files):
    return pytest.mark.parametrize("file", files, ids=lambda file: f"{file.parts[-3]}/{file.stem}")


# --- What validate-config accepts, and what it refuses ----------------------------------------------------------


@examples([*SHIPPED, *GOOD])
def test_what_validate_config_accepts_is_not_marked(file):
    assert marks_in(file) == []


def rules_of_one_value(file):
    return file.parts[-3] in ("unknown-key", "wrong-type", "unknown-loss", "not-a-server-field")


@examples(
    [file for file in BAD if rules_of_one_value(file) and subject(file) == "nested" and "dash" not in file.stem]
)
def test_what_is_wrong_by_itself_is_marked(file):
    assert marks_in(file)


@pytest.mark.parametrize("kind", SUBJECTS)
@pytest.mark.parametrize("version", ["3.10.0", "4.6.0"])
def test_what_validate_config_takes_is_taken_and_nothing_else(kind, version):
    release = catalogue.release(version)
    # The models have types and limits, and GRPO choices, of which the parser knows nothing; another is a union.
    limited = {*ColocateTrainerConfig.model_fields, *of_grpo(release), "truncation_strategy"}
    limited |= {"include_num_input_tokens_seen"}
    wrong, taken, marked = [], 0, 0
    for name, field in (release.server if kind == "rollout" else release.trainer).items():
        validator = Draft7Validator(arguments(kind, version)[name])
        for value in [*VALUES, *filter(None, field.choices)]:
            said = argument.problem(field, value) or (
                argument.mistyped(field, value) if kind == "nested" else None
            )
            takes, fits = said is None, validator.is_valid(value)
            taken, marked = taken + takes, marked + (not fits)
            if takes != fits and (name not in limited or (fits and kind != "nested")):
                wrong.append((name, value, said))
    assert wrong == []
    assert min(taken, marked) > 1000


@pytest.mark.parametrize(
    "text",
    [
        "rhlf: {}",
        "rlhf: {vllm_mode: remote}",
        "rlhf: {num_generatons: 8}",
        "rlhf: {num_generations: 0}",
        "rlhf: {loss_type: [grpo, dapoo]}",
        "rlhf: {vllm_reasoning_parser: qwen3}",
        "training: {bf16: maybe}",
        "training: {save_strategy: sometimes}",
        "training: {lr_scheduler_type: cosin}",
        "training: {train_type: lora}",
        "tuner: lora",
        "tuner: {effective_batch_size: 8}",
        "global_max_length: 0",
        "extends: [1]",
        "deepspeed: {enabled: 'yes'}",
        "custom: {extra: {rollout_server: {vllm_max_model_len: 0}}}",
        "custom: {extra: {rollout_server: {vllm_gpu_memory_utilization: 1.5}}}",
        "custom: {extra: {rollout_server: {max_model_len: 8192}}}",
        "custom: {extra: {rollout_server: {port: 8000}}}",
    ],
)
def test_typos_in_nested_presets_are_marked(text):
    assert marks(yaml.safe_load(text), "nested")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("flat", "num_generatons: 8"),
        ("flat", "num_generations: 0"),
        ("flat", "use_vllm: maybe"),
        ("flat", "learning_rate: fast"),
        ("flat", "max_length: null"),
        ("flat", "truncation_strategy: right"),
        ("flat", "ENV: [A]"),
        ("flat", "extends: base.yaml"),
        ("rollout", "rlhf_type: grpo"),
        ("rollout", "vllm_max_model_length: 8192"),
        ("rollout", "vllm_gpu_memory_utilization: 2"),
    ],
)
def test_typos_in_flat_files_are_marked(kind, text):
    assert marks(yaml.safe_load(text), kind)


@pytest.mark.parametrize("text", ["rlhf: {vllm_server_host: null}", "rlhf: null", "training: {train_type: null}"])
def test_a_null_is_unset(text):
    assert marks(yaml.safe_load(text), "nested") == []


# --- What they are, and what they tell --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SUBJECTS)
@pytest.mark.parametrize("version", [catalogue.versions()[0], catalogue.newest()])
def test_schema_is_one_and_small(kind, version):
    text = json.dumps(schema(kind, version))
    Draft7Validator.check_schema(json.loads(text))
    assert len(text) < MOST


def test_every_argument_of_every_release_is_described_once():
    modelled = {*ColocateTrainerConfig.model_fields, *RolloutServerBlock.model_fields}
    described = catalogue.descriptions()
    assert described.keys() == catalogue.names() - modelled
    assert {name for name, said in described.items() if not re.fullmatch(r"\S.*[^.]\.", said)} == set()


@pytest.mark.parametrize("kind", SUBJECTS)
def test_every_property_says_what_it_is(kind):
    new = {
        name: one for name, one in arguments(kind).items() if "$ref" not in one and "deprecationMessage" not in one
    }
    assert len(new) > 150
    assert {name for name, one in new.items() if not one.get("description")} == set()


def test_defaults_are_those_of_the_release():
    old, new = (arguments("flat", version) for version in ("3.10.0", "4.6.0"))
    assert (old["vllm_server_port"]["default"], new["vllm_server_port"]["default"]) == ([8000], [8000])
    assert "default" not in new["vllm_mode"]
    assert "dapo" not in str(old["loss_type"])
    assert "dapo" in str(new["loss_type"])


def test_old_names_tell_the_new_ones():
    old, new = (arguments("nested", version) for version in ("3.10.0", "4.5.2"))
    assert old["no_cuda"]["deprecated"]
    assert old["no_cuda"]["description"].endswith("Old name of use_cpu.")
    assert "deprecated" not in old["train_type"]
    assert new["train_type"]["deprecationMessage"] == "ms-swift 4.5.2 calls it tuner_type"
    assert arguments("rollout", "4.5.2")["enforce_eager"]["deprecated"]


# --- On the command line ----------------------------------------------------------------------------------------


def test_json_schema_has_the_keys_of_the_project(validate, write):
    write("pyproject.toml", '[tool.rollout-split]\nrepository-keys = { tuner = ["curriculum_stage"] }\n')
    ran = validate("--json-schema")
    assert (ran.code, ran.err) == (0, "")
    sections = json.loads(ran.out)["properties"]
    assert "curriculum_stage" in sections["tuner"]["properties"]
    assert "curriculum_stage" not in sections["training"]["properties"]
    assert ran.out == validate("--json-schema", "nested").out


def test_a_key_of_the_project_may_have_the_name_of_an_argument(write):
    root = write(
        "pyproject.toml", '[tool.rollout-split]\nrepository-keys = { tuner = ["train_type", "seed"] }\n'
    ).parent
    assert marks({"tuner": {"train_type": "curriculum", "seed": [1]}}, "nested", "4.5.2", root) == []
    assert marks({"tuner": {"train_type": "lora", "seed": 1}}, "nested", "4.5.2")


def test_json_schema_is_of_the_release_that_is_named(validate, write):
    write("pyproject.toml", '[tool.rollout-split]\nswift-version = "4.0.0"\n')
    assert json.loads(validate("--json-schema", "flat").out)["title"] == "ms-swift 4.0.0"
    ran = validate("--json-schema", "rollout", "--swift-version", "3.10.0")
    assert (ran.code, json.loads(ran.out)["title"]) == (0, "ms-swift 3.10.0")
    between = validate("--json-schema", "flat", "--swift-version", "4.4.3")
    assert json.loads(between.out)["title"] == "ms-swift 4.4.2"
    assert "4.4.3 is named and not catalogued" in between.err
    assert validate("--json-schema", "flat", "--swift-version", "9").code == 2


def test_json_schema_of_something_else(validate, root):
    ran = validate("--json-schema", "preset.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ", ".join(map(repr, SUBJECTS)) in ran.err
