"""Rules about the flat YAML that `swift rlhf` and `swift rollout` read themselves, each its own file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.findings import Severity
from schema.layouts.flat import ENVIRONMENT
from schema.layouts.flat import Flat
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift import argument
from schema.swift.address import ALL_ADDRESSES
from schema.swift.address import connection
from schema.swift.address import same_host
from schema.swift.address import wanted
from schema.swift.lengths import REFUSED_STRATEGIES
from schema.swift.roles import FOLLOWS
from schema.swift.roles import OWN
from schema.swift.roles import Role
from schema.swift.roles import fields

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from schema.catalogue import Field
    from schema.catalogue import Release
    from schema.context import Context


def halves(preset: Flat, release: Release) -> Iterator[tuple[Branch, Mapping[str, Field], str]]:
    """The files of a pair: the values of each, the arguments that it may have, and how messages begin."""
    yield preset.tree, release.trainer, ""
    if preset.server is not None:
        yield preset.server, release.server, preset.server_path() + ": "


@rule("yaml-argument", layout="flat")
def yaml_argument(context: Context) -> Iterator[Problem]:
    """ms-swift's YAML reader cannot put a value on the command line that it makes.

    A null becomes the word None; a list becomes its items, which crash the reader unless they are texts
    (`TypeError: sequence item 1: expected str instance, int found`, before 4.6.0); an empty list becomes an option
    without a value, and a value that begins with a dash another option (ms-swift 4.5.2, cli/main.py:60-70
    parse_yaml_args; before 4.1.0 cli/main.py:62-78 prepare_config_args, for `--config`). A mapping becomes JSON,
    which has no dates (cli/main.py:67; before 4.1.0 OmegaConf read them as texts).
    """
    if not isinstance(context.preset, Flat):
        return
    for half, known, prefix in halves(context.preset, context.release):
        for name, tree in half.children.items():
            if name != ENVIRONMENT and (problem := _unreadable(context, known.get(str(name)), data(tree))):
                message, consequence, fix = problem
                yield Problem(tree.place, f"{prefix}{name} {message}", f"{context.swift}: {consequence}", fix)


def _unreadable(context: Context, field: Field | None, value: object) -> tuple[str, str, str] | None:
    if value is None:
        if field is not None and None in field.choices:
            return None
        return "is null", "passes the word None, which numbers refuse and texts accept", "remove it"
    if value == []:
        return "is an empty list", "its parser stops: expected at least one argument", "remove it"
    items = value if isinstance(value, list) else [value]
    if isinstance(value, dict):
        return _no_json(context, value)
    if isinstance(value, list) and (odd := [item for item in items if not isinstance(item, str)]):
        return _no_text(context, items, odd[0])
    dashed = len(items) == 1 and argument.is_option(argument.text(items[0]))
    return (f"is {items[0]!r}", "its parser takes it for an option", "leave out the dash") if dashed else None


def _no_json(context: Context, value: dict[object, object]) -> tuple[str, str, str] | None:
    odd = next(argument.unlike_json(value), None)
    if odd is None or context.older("4.1.0"):
        return None
    kind = type(odd).__name__
    return (
        f"holds {str(odd)!r}, a {kind}",
        f"TypeError: Object of type {kind} is not JSON serializable",
        "quote it",
    )


def _no_text(context: Context, items: list[object], odd: object) -> tuple[str, str, str] | None:
    number = isinstance(odd, int | float)
    if not context.older("4.6.0"):
        return None if number else (f"holds {odd!r}", f"passes the text {str(odd)!r}", "quote it, or leave it out")
    fix = f"write {argument.text(odd)} without brackets" if number and len(items) == 1 else "quote the items"
    found = type(odd).__name__
    return f"holds {odd!r}, which is not text", f"TypeError: expected str instance, {found} found", fix


@rule("sides-differ", apart=True, mode="server")
def sides_differ(context: Context) -> Iterator[Problem]:
    """The two files of a pair set a value differently, although both sides act on it.

    Nothing compares them at run time: with another model the weight sync fails or is silently wrong, with another
    template or length the learner trains on other tokens than were sampled (the role table has the line of
    ms-swift 4.5.2 for each field). If it is unset, each side takes its own default. The learner alone may set
    `system`, which it puts into every request (rlhf_trainers/base_rollout_mixin.py:43), and max_length where it
    deletes longer prompts before it requests completions (rlhf_trainers/grpo_trainer.py:217).
    """
    block = context.preset.block
    if not isinstance(block, Branch):
        return
    for name in fields(Role.BOTH):
        ours, theirs = context.preset.value(name), block.value(name)
        if name == "truncation_strategy" and ours in REFUSED_STRATEGIES:
            continue  # truncation-strategy reports the learner's value, which must change first
        if not _alike(context, name, ours, theirs):
            yield _differs(context, name, ours, theirs)


def _alike(context: Context, name: str, ours: object, theirs: object) -> bool:
    if name == "system" and ours:
        return theirs is None or ours == theirs  # the learner puts it into every request
    if ours is not None and theirs is not None:
        return argument.words(name, ours) == argument.words(name, theirs)
    # Another rule reports a missing model. Where truncation_strategy is unset the server raises, as it does
    # for delete; and a learner that deletes sends no prompt above its own max_length.
    deletes = context.preset.value("truncation_strategy") == "delete" and theirs is None
    follows = name in (*FOLLOWS, "model") or (name in ("truncation_strategy", "max_length") and deletes)
    return follows or ours == theirs


def _differs(context: Context, name: str, ours: object, theirs: object) -> Problem:
    one_sided = ours is None or theirs is None
    mine, other = (repr(value) if value is not None else "not set" for value in (ours, theirs))
    outcome, fix = "each side acts on its own value, and nothing compares them", "set the same value in both files"
    mild = one_sided or name in OWN
    if name == "system" and theirs:
        outcome = "the learner puts its own into every request, and learns without one that only the server has"
        fix, mild = f"set system only in {context.preset.learner_path}", bool(ours)
    return Problem(
        context.at(name) if theirs is None else context.at_server(name),
        f"{name} is {mine} in {context.preset.learner_path}, but {other} in {context.preset.server_path()}",
        f"{context.swift}: {outcome}",
        fix,
        Severity.WARNING if mild else None,
    )


@rule(
    "server-address",
    apart=True,
    mode="server",
    needs=("vllm_server_host", "vllm_server_port", "vllm_server_base_url"),
)
def server_address(context: Context) -> Iterator[Problem]:
    """The server would not listen where the learner connects.

    By default `swift rollout` listens on port 8000 of all addresses (ms-swift 4.5.2, arguments/deploy_args.py:37),
    which anybody in the network may then use. Other rules report a wrong address of the learner.
    """
    block = context.preset.block
    if not isinstance(block, Branch):
        return
    ours, address = connection(context), wanted(context)
    port = block.value("port", default=context.release.server["port"].default)
    if ours[1] not in (None, port):
        state = "is" if block.find("port") else "is not set, so it is"
        yield Problem(
            context.at_server("port"),
            f"{context.preset.server_path('port')} {state} {port}, but the learner connects to {ours[1]}",
            f"{context.swift}: Servers not reachable, or another program answers there",
            f"set port to {address.port}",
        )
    host = block.value("host")
    if host is None or host in ALL_ADDRESSES:
        yield Problem(
            context.at_server("host"),
            f"{context.preset.server_path('host')} is {host or 'not set'}, so the server listens on all addresses",
            f"{context.swift}: whoever reaches this machine can use the server, or change its weights",
            f"set host to {address.host}",
            Severity.WARNING,
        )
    elif ours[0] is not None and not same_host(host, ours[0]):
        yield Problem(
            context.at_server("host"),
            f"{context.preset.server_path('host')} is {host or 'empty'}, but the learner connects to {ours[0]}",
            f"{context.swift}: Servers not reachable",
            f"set host to {address.host}",
        )
