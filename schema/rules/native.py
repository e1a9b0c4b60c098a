"""Rules about the flat YAML that `swift rlhf` and `swift rollout` read themselves, each its own file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import argument
from schema.findings import Severity
from schema.layouts.native import ENVIRONMENT
from schema.layouts.native import Native
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.roles import Role
from schema.roles import fields
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.connectivity import LOOPBACK
from schema.rules.releases import older

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from schema.catalogue import Field
    from schema.resolve import Tree
    from schema.rules.base import Context

#: Where torch reads its allocator's settings: PYTORCH_CUDA_ALLOC_CONF before 2.9.
ALLOCATORS = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")
_DEFAULT_PORT = 8000
_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104 - a name, not a listener
#: Each side has its own: plugins hold what the other side has no use for, and weights are cast when they are sent.
OWN = ("torch_dtype", "seed", "hub_token", "external_plugins", "custom_register_path")
#: Unset on one side, they follow the other side's at run time, or act there alone.
FOLLOWS = (*OWN, "multi_turn_scheduler", "max_turns", "use_gym_env", "gym_env")


def _halves(context: Context) -> Iterator[tuple[Branch, Mapping[str, Field], str]]:
    if not isinstance(context.preset, Native):
        return
    yield context.preset.tree, context.release.trainer, ""
    if context.preset.server is not None:
        yield context.preset.server, context.release.server, context.preset.server_path() + ": "


@rule("yaml-argument", layout="native")
def yaml_argument(context: Context) -> Iterator[Problem]:
    """A value that ms-swift's YAML reader cannot put on the command line that it makes.

    A null becomes the word None, a list its items, which crash it unless they are texts (`TypeError: sequence
    item 1: expected str instance, int found`, before 4.6.0), an empty list an option without a value, and what
    begins with a dash another option (ms-swift 4.5.2, cli/main.py:60-70 parse_yaml_args; before 4.1.0
    cli/main.py:62-78 prepare_config_args, for `--config`). A mapping becomes JSON, which has no dates
    (cli/main.py:67; before 4.1.0 OmegaConf read them as texts).
    """
    for half, known, prefix in _halves(context):
        for name, tree in half.children.items():
            if name != ENVIRONMENT and (said := _unreadable(context, known.get(str(name)), data(tree))):
                message, consequence, fix = said
                yield Problem(tree.place, f"{prefix}{name} {message}", f"{context.swift}: {consequence}", fix)


def _unreadable(context: Context, field: Field | None, value: object) -> tuple[str, str, str] | None:
    if value is None:
        if field is not None and None in field.choices:
            return None
        return "is null", "passes the word None, which numbers refuse and texts take", "remove it"
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
    if odd is None or older(context, "4.1.0"):
        return None
    kind = type(odd).__name__
    return (
        f"holds {str(odd)!r}, a {kind}",
        f"TypeError: Object of type {kind} is not JSON serializable",
        "quote it",
    )


def _no_text(context: Context, items: list[object], odd: object) -> tuple[str, str, str] | None:
    number = isinstance(odd, int | float)
    if not older(context, "4.6.0"):
        return None if number else (f"holds {odd!r}", f"passes the text {str(odd)!r}", "quote it, or leave it out")
    fix = f"write {argument.text(odd)} without brackets" if number and len(items) == 1 else "quote the items"
    return f"holds {odd!r}, no text", f"TypeError: expected str instance, {type(odd).__name__} found", fix


@rule("yaml-environment", layout="native")
def yaml_environment(context: Context) -> Iterator[Problem]:
    """`ENV`, which sets environment variables: something that ms-swift does not set, or sets too late.

    It is a mapping from names to single values (ms-swift 4.5.2, cli/main.py:53-59). Before 4.1.0 it is passed on
    as an argument. Before 4.2.2 the number of processes is settled before it is read (cli/main.py:96-97 of
    4.2.1), and it overrides the shell's variables; from 4.2.2 on the shell's win. Each GPU that the learner sees
    needs a process (4.5.2, arguments/rlhf_args.py:541 and utils/env.py:63). VLLM_USE_V1 0 and expandable_segments
    break the weight sync (ms-swift #6935, #6960, #5428).
    """
    for half, _, prefix in _halves(context):
        said = half.children.get(ENVIRONMENT)
        if said is None or (data(said) is None and not older(context, "4.1.0")):
            continue
        if older(context, "4.1.0"):
            yield Problem(
                said.key,
                f"{prefix}ENV is set, and this release does not know it",
                f"{context.swift}: passes it on as an argument: ValueError: remaining_argv",
                "set the variables in the shell, or use ms-swift 4.1.0 or newer",
            )
        elif not isinstance(said, Branch):
            yield Problem(
                said.place,
                f"{prefix}ENV is {data(said)!r}, not a mapping",
                f"{context.swift}: AttributeError: object has no attribute 'items'",
                "write it as a mapping from names to values",
            )
        else:
            yield from _variables(context, said, prefix)
    yield from _processes(context)


def _variables(context: Context, said: Branch, prefix: str) -> Iterator[Problem]:
    for name, tree in said.children.items():
        value = data(tree)
        if not isinstance(name, str):
            yield Problem(
                tree.key,
                f"{prefix}ENV.{name} is no name of a variable",
                f"{context.swift}: TypeError: str expected, not {type(name).__name__}",
                "quote it, or remove it",
            )
        elif (found := _unfit(name, value)) is not None:
            why, consequence, fix, severity = found
            message, outcome = f"{prefix}ENV.{name} is {value!r}{why}", f"{context.swift}: {consequence}"
            yield Problem(tree.place, message, outcome, fix, severity)


def _unfit(name: str, value: object) -> tuple[str, str, str, Severity | None] | None:
    """What is wrong with a variable, the consequence, the fix, and how bad it is."""
    if value is None or isinstance(value, list | dict):
        return "", f"sets the text {str(value)!r}", "give it one value, or remove it", None
    if name == "VLLM_USE_V1" and str(value) == "0":
        why = ": vLLM's old engine, which cannot take weights"
        return why, "NotImplementedError: collective_rpc, at the first weight sync", "remove it", None
    if name in ALLOCATORS and segments_expand(str(value)):
        reported = "NCCL errors at the weight sync were reported"
        return "", reported, "leave expandable_segments out", Severity.WARNING
    return None


def segments_expand(said: str) -> bool:
    """Whether an allocator's settings ask for expandable segments; torch reads past blanks."""
    return "expandable_segments:true" in said.lower().replace(" ", "")


def _processes(context: Context) -> Iterator[Problem]:
    preset = context.preset
    if not isinstance(preset, Native):
        return
    learner = preset.variables("learner")
    if "NPROC_PER_NODE" in learner and older(context, "4.2.2") and not older(context, "4.1.0"):
        yield Problem(
            _variable(preset.tree, "NPROC_PER_NODE").key,
            f"ENV.NPROC_PER_NODE is {learner['NPROC_PER_NODE']}, and this release reads it too late",
            f"{context.swift}: starts one learner",
            "set it in the shell, or use ms-swift 4.2.2 or newer",
        )
    gpus = preset.gpus("learner")
    if gpus and preset.learners is not None and preset.learners.count != len(gpus):
        yield Problem(
            _variable(preset.tree, "NPROC_PER_NODE").place,
            f"ENV.NPROC_PER_NODE is {preset.learners.count}, but ENV.CUDA_VISIBLE_DEVICES names {len(gpus)} GPUs",
            f"{context.swift}: AssertionError, or ValueError: GRPO with vLLM is not compatible with `device_map`",
            f"set NPROC_PER_NODE to {len(gpus)}",
        )
    shared = {*gpus} & {*preset.gpus("server")}
    if shared and preset.server is not None:
        yield Problem(
            _variable(preset.server, "CUDA_VISIBLE_DEVICES").place,
            f"{preset.server_path()}: ENV.CUDA_VISIBLE_DEVICES names GPU {', '.join(sorted(shared))}, which the"
            " learner's ENV names, too",
            f"{context.swift}: NCCL error: invalid usage (Duplicate GPU detected)",
            "give each side GPUs of its own",
        )


def _variable(half: Branch, name: str) -> Tree:
    return half.find(ENVIRONMENT, name) or half.find(ENVIRONMENT) or half


@rule("sides-differ", layout="native", mode="server")
def sides_differ(context: Context) -> Iterator[Problem]:
    """A value that both sides act on, and that their files do not say alike.

    Nothing compares them at run time: with another model the weight sync fails or is wrong without a word, with
    another template or length the learner trains on other tokens than were sampled (the role table has the line
    of ms-swift 4.5.2 for each field). Unset, each side takes its own default.
    """
    block = context.preset.block
    if not isinstance(block, Branch):
        return
    for name in fields(Role.BOTH):
        ours, theirs = context.preset.value(name), block.value(name)
        if not _alike(name, ours, theirs):
            yield _differs(context, name, ours, theirs)


def _alike(name: str, ours: object, theirs: object) -> bool:
    if ours is not None and theirs is not None:
        return argument.words(name, ours) == argument.words(name, theirs)
    # A model that is missing is another rule's. Where truncation_strategy is unset the server raises, as it
    # does where it says delete.
    follows = name in (*FOLLOWS, "model") or (name == "truncation_strategy" and ours == "delete")
    return follows or ours == theirs


def _differs(context: Context, name: str, ours: object, theirs: object) -> Problem:
    one_sided = ours is None or theirs is None
    mine, other = (repr(value) if value is not None else "not set" for value in (ours, theirs))
    return Problem(
        context.at(name) if theirs is None else context.at_server(name),
        f"{name} is {mine} in {context.preset.learner_path}, but {other} in {context.preset.server_path()}",
        f"{context.swift}: each side acts on its own value, and nothing compares them",
        "say the same in both files",
        Severity.WARNING if one_sided or name in OWN else None,
    )


@rule("server-address", layout="native", mode="server", needs=("vllm_server_host", "vllm_server_port"))
def server_address(context: Context) -> Iterator[Problem]:
    """The server would listen elsewhere than the learner connects.

    Unset, `swift rollout` listens on port 8000 of all addresses (ms-swift 4.5.2, arguments/deploy_args.py:37),
    which anybody in the network may then use.
    """
    block, trainer = context.preset.block, context.trainer.config
    if not isinstance(block, Branch) or not trainer.vllm_server_host or not trainer.vllm_server_port:
        return
    port, wanted = block.value("port", default=_DEFAULT_PORT), trainer.vllm_server_port[0]
    if port != wanted:
        said = "is" if block.find("port") else "is not set, so it is"
        yield Problem(
            context.at_server("port"),
            f"{context.preset.server_path('port')} {said} {port}, but the learner connects to {wanted}",
            f"{context.swift}: Servers not reachable, or whatever else answers there",
            f"set port to {wanted}",
        )
    host, wanted_host = block.value("host"), trainer.vllm_server_host[0]
    if host is None or host in _ALL_ADDRESSES:
        yield Problem(
            context.at_server("host"),
            f"{context.preset.server_path('host')} is {host or 'not set'}: it listens on all addresses",
            f"{context.swift}: whoever reaches this machine can use the server, or change its weights",
            f"set host to {wanted_host}",
            Severity.WARNING,
        )
    elif host != wanted_host and not all(name in LOOPBACK[:2] for name in (host, wanted_host)):
        yield Problem(
            context.at_server("host"),
            f"{context.preset.server_path('host')} is {host}, but the learner connects to {wanted_host}",
            f"{context.swift}: Servers not reachable",
            f"set host to {wanted_host}",
        )
