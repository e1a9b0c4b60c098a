"""The catalogue says of the installed release what its own parser says."""

import pytest

from schema.catalogue.model import FACTORY

TYPES = {"bool": "string_to_bool", "int": "int", "float": "float", "str": "str", "json": "str"}
#: Options of a type of their own: an enum without listed choices, a path, and two that no word can make.
OTHERS = {"debug": "DebugOption", "generation_config": "Path", "liger_kernel_config": "dict"}
OTHERS |= {"parallelism_config": "ParallelismConfig"}


@pytest.fixture(params=["upstream", "oldest"])
def release(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["learner", "server"])
def pairs(request, release):
    options = release.oracle.options(request.param)
    fields = release.release.trainer if request.param == "learner" else release.release.server
    return options, fields


def test_names(pairs):
    options, fields = pairs
    assert sorted(options) == sorted(fields)


def test_kinds(pairs):
    options, fields = pairs
    wrong = {
        name: (fields[name].kind, option)
        for name, option in options.items()
        if not option["choices"] and option["type"] != OTHERS.get(name, TYPES.get(fields[name].kind))
    }
    assert wrong == {}


def test_several_values(pairs):
    options, fields = pairs
    assert {n for n, option in options.items() if option["many"]} == {n for n, f in fields.items() if f.many}


def test_choices(pairs):
    options, fields = pairs
    known = {name: list(field.choices) for name, field in fields.items() if field.choices and name not in OTHERS}
    assert known == {name: option["choices"] for name, option in options.items() if option["choices"]}


def test_defaults(pairs):
    options, fields = pairs
    known = {name: field.default for name, field in fields.items() if field.default != FACTORY}
    assert {name: options[name]["default"] for name in known} == known
