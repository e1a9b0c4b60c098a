"""Rules about the type and range of single values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.models.server import RolloutServerConfig
from schema.resolve.tree import Branch
from schema.resolve.tree import Leaf
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift import argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from schema.context import Context
    from schema.place import Place

_RANGES = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "literal_error")
_NO_SECTIONS = ("extends", "global_max_length")
_SILENT = ("missing", "extra_forbidden")  # missing-key, unknown-key and the role rules report them


@rule("wrong-type", components=True)
def wrong_type(context: Context) -> Iterator[Problem]:
    """A value has a type or range that ms-swift, or this project's models, do not accept.

    Rollout settings are checked against the strict models, all others against the types of the target
    release's parser (transformers' HfArgumentParser, ms-swift 4.5.2, utils/utils.py parse_args).
    """
    yield from _sections(context)
    modelled = type(context.trainer.config).model_fields
    for name, error in context.trainer.errors.items():
        if error["type"] not in _SILENT and name in context.preset.arguments:
            setting = context.preset.arguments[name]
            yield _problem(context, context.at(name), setting.path, setting.value, error)
    for name, setting in context.preset.arguments.items():
        if (item := argument.lost(setting.value)) is not None:
            yield Problem(
                setting.place,
                f"{setting.path} holds {item!r}" + ("" if item == "--" else " among several values"),
                f"{context.swift}: the argument parser {'drops it' if item == '--' else 'takes it for an option'}",
                "leave it out" if item == "--" else "leave out the dash, or make it the only value",
            )
        field = context.release.trainer.get(name)
        if field is None or name in modelled:
            continue
        if (wrong := argument.problem(field, setting.value)) is not None:
            yield Problem(
                setting.place,
                f"{setting.path} is {setting.value!r}: {wrong}",
                f"{context.swift}: the argument parser stops, or takes another value",
                f"set it to {argument.expected(field)}",
            )


def _sections(context: Context) -> Iterator[Problem]:
    for name in context.preset.top_level:
        section = context.preset.tree.find(name)
        if isinstance(section, Leaf) and name not in _NO_SECTIONS:
            yield Problem(
                section.place,
                f"{name} is {section.value!r}, not a mapping",
                "nothing reads it",
                f"make it a mapping, or remove {name}",
            )


@rule("wrong-server-type", components=True)
def wrong_server_type(context: Context) -> Iterator[Problem]:
    """A value in the rollout server's block has a wrong type or range."""
    block = context.preset.block
    if context.server is None or not isinstance(block, Branch):
        return
    for name, error in context.server.errors.items():
        if error["type"] not in _SILENT:
            path = context.preset.server_path(name)
            # The whole value, as in wrong-type, although only an item of it may be wrong.
            yield _problem(context, context.at_server(name), path, block.value(name), error)
    yield from _others_of_the_server(context)


def _others_of_the_server(context: Context) -> Iterator[Problem]:
    block, modelled = context.preset.block, RolloutServerConfig.model_fields
    for name, tree in block.children.items() if isinstance(block, Branch) else ():
        field, value = context.release.server.get(str(name)), data(tree)
        if field is None or name in modelled or (value is None and not context.preset.apart):
            continue
        if (wrong := argument.problem(field, value)) is None:
            continue
        yield Problem(
            tree.place,
            f"{context.preset.server_path(str(name))} is {value!r}: {wrong}",
            f"{context.swift}: the argument parser stops, or takes another value",
            f"set it to {argument.expected(field)}",
        )


@rule("json-text", components=True)
def json_text(context: Context) -> Iterator[Problem]:
    """ms-swift needs a mapping, and the text here is not JSON of one.

    ms-swift repairs it as well as it can, or raises JSONDecodeError (4.5.2, utils/utils.py:409
    json_parse_to_dict).
    """
    for path, value, place in _mappings(context):
        if isinstance(value, str) and argument.mapping(value) is None:
            yield Problem(
                place,
                f"{path} is {value!r}, which is not JSON of a mapping",
                f"{context.swift}: repairs it, or stops with JSONDecodeError",
                "write it as a mapping",
            )


def _mappings(context: Context) -> Iterator[tuple[str, object, Place]]:
    block = context.preset.block
    for name in argument.JSON_FIELDS:
        if (setting := context.preset.arguments.get(name)) is not None:
            yield setting.path, setting.value, setting.place
        if isinstance(block, Branch) and (leaf := block.leaf(name)) is not None:
            yield context.preset.server_path(name), leaf.value, leaf.place


def _problem(context: Context, place: Place, path: str, value: object, error: ErrorDetails) -> Problem:
    reason = error["msg"].removeprefix("Input should be ")
    kind = "out of range" if error["type"] in _RANGES else "of a wrong type"
    return Problem(
        place,
        f"{path} is {value!r}, which is {kind}: it must be {reason}",
        f"{context.swift}: its parser, a later step or vLLM fails",
        f"make it {reason}",
    )
