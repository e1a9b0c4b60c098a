"""The JSON Schema that editors get."""

from pathlib import Path

import pytest
import yaml

from schema.models.editors import json_schema

REPOSITORY = Path(__file__).parents[2]
SHIPPED = [*REPOSITORY.glob("configs/**/*.yaml"), *REPOSITORY.glob("tests/presets/**/*.yaml")]
GOOD = [*REPOSITORY.glob("tests/examples/base/*.yaml"), *REPOSITORY.glob("tests/examples/rules/*/good/*.yaml")]
# Texts that ms-swift's parser would turn into numbers and booleans; an editor may well say so.
SPELLED_OUT = "what-the-parser-takes"
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def of_type(value, name):
    if name in ("integer", "number"):
        return not isinstance(value, bool) and isinstance(value, int if name == "integer" else int | float)
    return isinstance(value, TYPES[name])


def fits(value, schema):
    """Whether a value fits, as far as the keywords say that our schema uses."""
    names = schema.get("type", [])
    return (
        (not names or any(of_type(value, name) for name in ([names] if isinstance(names, str) else names)))
        and ("anyOf" not in schema or any(fits(value, one) for one in schema["anyOf"]))
        and ("enum" not in schema or value in schema["enum"])
        and ("const" not in schema or value == schema["const"])
        and (not of_type(value, "number") or in_range(value, schema))
        and (not isinstance(value, list) or all(fits(item, schema.get("items", {})) for item in value))
        and (not isinstance(value, dict) or all(fits(value[key], below(schema, key)) for key in value))
    )


def in_range(value, schema):
    above, least, most = (schema.get(name) for name in ("exclusiveMinimum", "minimum", "maximum"))
    return (
        (above is None or value > above) and (least is None or value >= least) and (most is None or value <= most)
    )


def is_flat(file):
    """Whether a file is in the flat layout, which the schema is not about."""
    return file.stem.endswith(".rollout") or "rlhf_type" in yaml.safe_load(file.read_text())


def below(schema, key):
    found = schema.get("properties", {}).get(key, schema.get("additionalProperties", {}))
    return {} if found is True else found


@pytest.fixture(scope="module")
def schema():
    return json_schema()


def test_every_shipped_preset_and_every_good_example_fits(schema):
    assert len(SHIPPED) > 5
    files = [file for file in (*SHIPPED, *GOOD) if file.stem != SPELLED_OUT and not is_flat(file)]
    assert [str(file) for file in files if not fits(yaml.safe_load(file.read_text()), schema)] == []


@pytest.mark.parametrize(
    "text",
    [
        "rhlf: {}",
        "rlhf: {vllm_mode: remote}",
        "rlhf: {vllm_server_port: 8080}",
        "rlhf: {num_generations: 0}",
        "training: {bf16: maybe}",
        "training: {save_strategy: sometimes}",
        "tuner: lora",
        "global_max_length: 0",
        "extends: [1]",
        "custom: {extra: {rollout_server: {vllm_max_model_len: 0}}}",
        "custom: {extra: {rollout_server: {vllm_gpu_memory_utilization: 1.5}}}",
        "custom: {extra: {rollout_server: {max_model_len: 8192}}}",
    ],
)
def test_what_is_wrong_does_not_fit(schema, text):
    assert not fits(yaml.safe_load(text), schema)
