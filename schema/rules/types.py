"""Rules about the type and range of single values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import fixes
from schema.layouts.nested import NO_SECTIONS
from schema.models.parse import SERVER
from schema.resolve.tree import Branch
from schema.resolve.tree import Leaf
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift import argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from schema.catalogue import Field
    from schema.context import Context
    from schema.fixes import Edits
    from schema.place import Place
    from schema.resolve.tree import Tree
    from schema.yamltext.yaml12 import Difference

_RANGES = ("greater_than", "greater_than_equal", "less_than", "less_than_equal", "literal_error")
_UNCONVERTED = "a training repository passes it unconverted, and a later step fails or acts on another value"
_SILENT = ("missing", "extra_forbidden")  # missing-key, unknown-key and the role rules report them


@rule("wrong-type", components=True)
def wrong_type(context: Context) -> Iterator[Problem]:
    """A value has a type or range that ms-swift, or this project's models, do not accept.

    Rollout settings are checked against the strict models, all others against the target release's parser
    (transformers' HfArgumentParser, ms-swift 4.5.2, utils/utils.py parse_args). In the nested layout types are as
    strict for all others, too: a training repository passes values, not words, and a quoted number is a text
    (transformers 5.12.1 keeps learning_rate '1e-6' as it is, and torch's optimizers raise TypeError).
    """
    yield from _sections(context)
    for name, error in context.trainer.errors.items():
        if error["type"] not in _SILENT and name in context.preset.arguments:
            setting = context.preset.arguments[name]
            field = context.release.trainer.get(name)
            edits = fixes.make_list(context, setting.key, setting.steps, field, setting.value)
            yield _problem(context, context.at(name), setting.path, setting.value, error, field, edits)
    mistakes = context.mistakes
    for name, setting in context.preset.arguments.items():
        if (item := argument.lost(setting.value)) is not None:
            yield Problem(
                setting.place,
                f"{setting.path} holds {item!r}" + ("" if item == "--" else " among several values"),
                f"{context.swift}: the argument parser {'drops it' if item == '--' else 'takes it for an option'}",
                "leave it out" if item == "--" else "leave out the dash, or make it the only value",
            )
        if name in mistakes:
            field = context.release.trainer[name]
            edits = fixes.make_list(context, setting.key, setting.steps, field, setting.value)
            yield from _mistake(context, setting.place, setting.path, setting.value, field, edits)


def _sections(context: Context) -> Iterator[Problem]:
    sections = set(context.preset.top_level).difference(NO_SECTIONS)
    for name, section in context.preset.tree.children.items():
        if isinstance(section, Leaf) and section.value is not None and name in sections:
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
            field = context.release.server.get(name)
            edits = _listed(context, name, block.children.get(name), field)
            yield _problem(context, context.at_server(name), path, block.value(name), error, field, edits)
    yield from _others_of_the_server(context)


def _others_of_the_server(context: Context) -> Iterator[Problem]:
    block, modelled = context.preset.block, SERVER.fields
    for name, tree in block.children.items() if isinstance(block, Branch) else ():
        field, value = context.release.server.get(str(name)), data(tree)
        if field is not None and name not in modelled and (value is not None or context.preset.apart):
            path, edits = context.preset.server_path(str(name)), _listed(context, str(name), tree, field)
            yield from _mistake(context, tree.place, path, value, field, edits)


def _listed(context: Context, name: str, tree: Tree | None, field: Field | None) -> Edits:
    """A list of a value of the server."""
    path = (*context.preset.server_steps, name)
    return fixes.make_list(context, tree.key, path, field, data(tree)) if tree is not None else ()


def _mistake(  # noqa: PLR0913, PLR0917 - what is said of one value
    context: Context, place: Place, path: str, value: object, field: Field, edits: Edits
) -> Iterator[Problem]:
    wrong = context.preset.mistake(field, value)
    if wrong is None:
        return
    stops = argument.problem(field, value) is not None
    subject = "every item" if field.many and isinstance(value, list) else "it"
    yield Problem(
        place,
        f"{path} is {value!r}: {wrong}{_misread(context, place)}",
        f"{context.swift}: " + ("the argument parser stops, or takes another value" if stops else _UNCONVERTED),
        argument.retyped(field, value) or f"set {subject} to {argument.expected(field)}",
        edits=edits if argument.retyped(field, value) else (),
    )


def _misread(context: Context, place: Place) -> str:
    return f"; {readings(context.misread[place][0])}" if place in context.misread else ""


def readings(found: Difference) -> str:
    """What the two versions of YAML make of a scalar."""
    value, other = found.scalar.value, found.other
    return (
        f"{found.scalar.text} is {value!r} ({type(value).__name__}) in YAML 1.1, which ms-swift reads, and"
        f" {other!r} ({type(other).__name__}) in YAML 1.2"
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


def _problem(  # noqa: PLR0913, PLR0917 - what is said of one value
    context: Context,
    place: Place,
    path: str,
    value: object,
    error: ErrorDetails,
    field: Field | None,
    edits: Edits,
) -> Problem:
    reason = error["msg"].removeprefix("Input should be ")
    kind = "out of range" if error["type"] in _RANGES else "of a wrong type"
    return Problem(
        place,
        f"{path} is {value!r}, which is {kind}: it must be {reason}{_misread(context, place)}",
        f"{context.swift}: its parser, a later step or vLLM fails",
        (retyped := field and argument.retyped(field, value)) or f"make it {reason}",
        edits=edits if retyped else (),
    )
