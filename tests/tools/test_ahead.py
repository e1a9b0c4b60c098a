"""The validators that are made ahead of time take and refuse what the models do, with the same words."""

import json

import pytest
from pydantic import ValidationError

from schema.ahead import Ahead
from tools.ahead import MODELS
from tools.ahead import text

#: Values of every type that YAML has, around every bound that the models set.
PROBES = [
    None,
    True,
    False,
    *range(-2, 4),
    2**40,
    -0.5,
    0.0,
    0.3,
    1.0,
    1.5,
    float("inf"),
    "",
    "x",
    "1",
    "127.0.0.1",
]
PROBES += [[], [1], ["x"], [None], {}, {"a": 1}, {1: "a"}, "{}", "auto", "server", "colocate", "grpo"]


def strings(part):
    """All strings that a validator knows, such as those of a choice."""
    if isinstance(part, str):
        yield part
    for below in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from strings(below)


def outcome(model, values):
    """What a model makes of values, or what it says of them."""
    try:
        made = model(values)
    except ValidationError as error:
        return [(each["type"], each["loc"], each["msg"]) for each in error.errors(include_url=False)]
    return {name: getattr(made, name) for name in values}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_they_take_and_refuse_the_same(model):
    ahead, right = Ahead(model.__name__), 0
    assert ahead.fields.keys() == model.model_fields.keys()
    defaults = {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
    assert dict(ahead.defaults) == defaults
    choices = sorted(set(strings(json.loads(text())[model.__name__])))
    for name in [*model.model_fields, "vllm_mod", ""]:
        for value in [*PROBES, *choices]:
            expected = outcome(model.model_validate, {name: value})
            assert outcome(ahead.validated, {name: value}) == expected, (name, value)
            right += isinstance(expected, dict) or all(loc != (name,) for _, loc, _ in expected)
    assert right > len(model.model_fields)


def test_a_pydantic_core_of_another_form_gives_way_to_the_classes(monkeypatch):
    name = MODELS[0].__name__
    ahead = Ahead(name)
    unknown = {"config": {}, "schema": {"type": "of another time", "fields": {}}}
    monkeypatch.setitem(ahead.__dict__, "_made", unknown)
    values = {"rlhf_type": "grpo", "use_vllm": True}
    assert outcome(ahead.validated, values) == outcome(MODELS[0].model_validate, values)
    assert outcome(ahead.validated, {"nothing": 1}) == outcome(MODELS[0].model_validate, {"nothing": 1})
