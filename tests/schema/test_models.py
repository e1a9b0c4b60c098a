"""The strict models: what they hold, what they take, and whose defaults they have."""

import pytest
from pydantic import ValidationError

from schema import catalogue
from schema.ahead import Ahead
from schema.models.parse import parse
from schema.models.server import RolloutServerBlock
from schema.models.server import RolloutServerConfig
from schema.models.trainer import ColocateTrainerConfig
from schema.models.trainer import TrainerConfig
from schema.swift.roles import Role
from schema.swift.roles import fields

CONNECT, TRAINER, SERVER, COLOCATE = (
    set(fields(role)) for role in (Role.CONNECT, Role.TRAINER, Role.SERVER, Role.COLOCATE)
)
#: Values that a preset must give: with ms-swift's own default it would train another algorithm, or start another
#: server.
NEEDED: dict[type, dict[str, object]] = {
    TrainerConfig: {"rlhf_type": "grpo"},
    ColocateTrainerConfig: {"rlhf_type": "grpo"},
    RolloutServerConfig: {},
    RolloutServerBlock: {
        "vllm_tensor_parallel_size": 1,
        "vllm_data_parallel_size": 6,
        "vllm_max_model_len": 8192,
    },
}


def make(model, **values):
    return model(**(NEEDED[model] | values))


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (TrainerConfig, CONNECT | TRAINER),
        (RolloutServerConfig, SERVER - {"vllm_max_lora_rank"} | {"api_key"}),
        (RolloutServerBlock, SERVER - {"vllm_max_lora_rank"} | {"api_key"}),
        (ColocateTrainerConfig, CONNECT | TRAINER | SERVER | COLOCATE),
    ],
)
def test_fields_are_those_of_the_role_table(model, names):
    assert set(model.model_fields) == names


def known(model, version):
    release = catalogue.release(version)
    return release.server if issubclass(model, RolloutServerConfig) else release.trainer


@pytest.mark.parametrize("model", NEEDED)
def test_a_preset_must_give_what_has_no_default(model):
    assert {name for name, field in model.model_fields.items() if field.is_required()} == set(NEEDED[model])


@pytest.mark.parametrize("model", NEEDED)
def test_defaults_are_those_of_the_newest_release(model):
    built, newest = make(model), known(model, catalogue.newest())
    others = [name for name in model.model_fields if name not in NEEDED[model]]
    assert {name: getattr(built, name) for name in others} == {name: newest[name].default for name in others}


@pytest.mark.parametrize("version", catalogue.versions())
@pytest.mark.parametrize("model", NEEDED)
def test_unset_fields_are_as_the_target_release_leaves_them(model, version):
    fields, built = known(model, version), parse(Ahead(model.__name__), NEEDED[model], known(model, version))
    assert built.errors == {}
    for name in model.model_fields.keys() - NEEDED[model]:
        expected = fields[name].default if name in fields else getattr(make(model), name)
        assert repr(getattr(built.config, name)) == repr(expected), name


@pytest.mark.parametrize(
    ("version", "name", "default"),
    [
        ("3.11.0", "vllm_mode", "colocate"),
        ("3.11.1", "vllm_mode", None),
        ("3.11.0", "vllm_server_group_port", [51216]),
        ("4.0.2", "top_p", 0.9),
        ("4.0.3", "top_p", 1.0),
    ],
)
def test_default_that_changed(version, name, default):
    for values in ({}, {name: object()}):  # what is wrong is left at the release's default, too
        built = parse(Ahead("TrainerConfig"), NEEDED[TrainerConfig] | values, known(TrainerConfig, version))
        assert getattr(built.config, name) == default
        assert built.errors.keys() == values.keys()


@pytest.mark.parametrize("model", NEEDED)
def test_models_are_strict_and_frozen(model):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        make(model, unknown=1)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(make(model), next(iter(model.model_fields)), 1)


def test_default_lists_are_not_shared():
    make(TrainerConfig).vllm_server_port.append(1)
    assert make(TrainerConfig).vllm_server_port == [8000]


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (TrainerConfig, {"temperature": 1}),
        (TrainerConfig, {"vllm_server_group_port": 51216}),
        (TrainerConfig, {"vllm_server_group_port": [51216]}),
        (TrainerConfig, {"top_p": 0.0, "min_p": 1.0}),
        (RolloutServerConfig, {"vllm_engine_kwargs": {"kv_cache_dtype": "fp8"}}),
        (RolloutServerConfig, {"vllm_engine_kwargs": "{}"}),
        (RolloutServerConfig, {"vllm_gpu_memory_utilization": 1}),
        (RolloutServerConfig, {"vllm_max_model_len": None}),
        (ColocateTrainerConfig, {"sleep_level": 2, "vllm_max_model_len": None}),
    ],
)
def test_right_value_is_taken(model, values):
    for made in (make(model, **values), Ahead(model.__name__).validated(NEEDED[model] | values)):
        assert {name: getattr(made, name) for name in values} == values


@pytest.mark.parametrize(
    ("model", "name", "values"),
    [
        (TrainerConfig, "rlhf_type", ["dpo", None]),
        (TrainerConfig, "vllm_mode", ["Server", True]),
        (TrainerConfig, "use_vllm", ["true", 1, None]),
        (TrainerConfig, "vllm_server_host", ["127.0.0.1", [1], [None]]),
        (TrainerConfig, "vllm_server_port", [8000, ["8000"], [True], [8000.0], "8000"]),
        (TrainerConfig, "vllm_server_timeout", [0, -1.0, "300", True]),
        (TrainerConfig, "num_generations", [0, 1.0, "4", True]),
        (TrainerConfig, "top_p", [-0.1, 1.1]),
        (TrainerConfig, "reward_weights", [1.0, ["1"], [True]]),
        (TrainerConfig, "rollout_importance_sampling_mode", ["token"]),
        (ColocateTrainerConfig, "sleep_level", [3, -1, "1", 1.5]),
        (ColocateTrainerConfig, "vllm_tensor_parallel_size", [0, "1", True]),
        (RolloutServerConfig, "vllm_tensor_parallel_size", [0, -1, 1.0, 1.5, "1", True, None, [1]]),
        (RolloutServerConfig, "vllm_data_parallel_size", [0, -1, 1.0, 1.5, "1", True, None, [1]]),
        (RolloutServerConfig, "vllm_max_model_len", [0, -1, 1.0, 1.5, "1", True, [1]]),
        (RolloutServerBlock, "vllm_max_model_len", [0, None]),
        (RolloutServerConfig, "vllm_gpu_memory_utilization", [0, 1.01, "0.6"]),
        (RolloutServerConfig, "vllm_enable_lora", ["false", 0]),
        (RolloutServerConfig, "vllm_limit_mm_per_prompt", [1, ["image"]]),
    ],
)
def test_wrong_value_is_refused(model, name, values):
    for value in values:
        with pytest.raises(ValidationError) as caught:
            make(model, **{name: value})
        with pytest.raises(ValidationError) as ahead:
            Ahead(model.__name__).validated(NEEDED[model] | {name: value})
        assert {error["loc"][0] for error in caught.value.errors()} == {name}, value
        assert ahead.value.errors() == caught.value.errors()
