"""Rules about ENV of the flat YAML: the environment variables that a file sets for its side."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from typing import TypeAlias

from schema.checkpoint import sees
from schema.findings import Severity
from schema.layouts.flat import ENVIRONMENT
from schema.layouts.flat import Flat
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.flat import halves
from schema.swift.variables import ALLOCATORS
from schema.swift.variables import GPUS
from schema.swift.variables import MEDIA
from schema.swift.variables import NODES
from schema.swift.variables import PROCESSES
from schema.swift.variables import TEXTS
from schema.swift.variables import segments_expand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.layouts.preset import Preset
    from schema.place import Place

#: What is wrong with a variable, the consequence, the fix, and how bad it is.
_Found: TypeAlias = tuple[str, str, str, "Severity | None"]
#: What torchrun counts by itself (torch 2.13.0, distributed/run.py determine_local_world_size).
_DEVICES = ("auto", "cpu", "gpu", "xpu")
_SPREADS = "ValueError: GRPO with vLLM is not compatible with `device_map`"


@rule("yaml-environment", layout="flat")
def yaml_environment(context: Context) -> Iterator[Problem]:
    """`ENV` holds something that ms-swift does not set as an environment variable, or sets too late.

    It is a mapping from names to single values (ms-swift 4.5.2, cli/main.py:53-59). Before 4.1.0 it is passed on
    as an argument. Before 4.2.2 it is read after the number of processes is decided (cli/main.py:96-97 of
    4.2.1), and it overrides the shell's variables; from 4.2.2 on the shell's win. VLLM_USE_V1 0 and
    expandable_segments break the weight sync (ms-swift #6935, #6960, #5428); colocate mode has no such sync, and
    there ms-swift turns expandable_segments off around its own engine (3.10.0 to 4.6.0; 4.5.2,
    rlhf_trainers/rollout_mixin.py:502). torchrun gets NPROC_PER_NODE and NNODES as they are (cli/main.py:78).
    """
    if not isinstance(context.preset, Flat):
        return
    for half, _, prefix in halves(context.preset, context.release):
        environment = half.children.get(ENVIRONMENT)
        if environment is None or (data(environment) is None and not context.older("4.1.0")):
            continue
        if context.older("4.1.0"):
            yield Problem(
                environment.key,
                f"{prefix}ENV is set, but this release does not know it",
                f"{context.swift}: passes it on as an argument: ValueError: remaining_argv",
                "set the variables in the shell, or use ms-swift 4.1.0 or newer",
            )
        elif not isinstance(environment, Branch):
            yield Problem(
                environment.place,
                f"{prefix}ENV is {data(environment)!r}, not a mapping",
                f"{context.swift}: AttributeError: object has no attribute 'items'",
                "write it as a mapping from names to values",
            )
        else:
            yield from variables(context, environment, prefix)
    yield from _processes(context, context.preset)
    yield from shared_gpus(context, context.preset)


def variables(context: Context, environment: Branch, prefix: str) -> Iterator[Problem]:
    """What is wrong with the variables of one side; `prefix` begins messages about the server's."""
    synced = context.preset.mode == "server"
    # What ENV says of processes is read too late before 4.2.2, as `_processes` reports.
    launched = not prefix and not (context.preset.layout == "flat" and context.older("4.2.2"))
    for name, tree in environment.children.items():
        value = data(tree)
        if not isinstance(name, str):
            yield Problem(
                tree.key,
                f"{prefix}{_path(context.preset, name)} is not the name of a variable",
                f"{context.swift}: TypeError: str expected, not {type(name).__name__}",
                "quote it, or remove it",
            )
        elif found := _unfit(name, value, synced=synced) or (launched and _uncounted(name, str(value))):
            why, consequence, fix, severity = found
            message, outcome = (
                f"{prefix}{_path(context.preset, name)} is {value!r}{why}",
                f"{context.swift}: {consequence}",
            )
            yield Problem(tree.place, message, outcome, fix, severity)


def _unfit(name: str, value: object, *, synced: bool) -> _Found | None:
    if value is None or isinstance(value, list | dict):
        return "", f"sets the text {str(value)!r}", "set it to one value, or remove it", None
    if synced and name == "VLLM_USE_V1" and str(value) == "0":
        why = ": vLLM's old engine, which cannot take weights"
        return why, "NotImplementedError: collective_rpc, at the first weight sync", "remove it", None
    if synced and name in ALLOCATORS and segments_expand(str(value)):
        reported = "NCCL errors at the weight sync were reported"
        return "", reported, "leave expandable_segments out", Severity.WARNING
    return None


def _uncounted(name: str, text: str) -> _Found | None:
    """The same of how many processes or nodes learn, if torchrun cannot read that."""
    # torchrun also counts GPUs by itself, and takes a range of nodes.
    counts = text in _DEVICES if name == PROCESSES else ":" in text
    if name not in (PROCESSES, NODES) or counts:
        return None
    with suppress(ValueError):
        if int(text) > 0:
            return None
    why, fix = ", which is no whole number from 1 on", "set it to such a number, or remove it"
    return why, "torchrun fails before a learner starts", fix, None


def _processes(context: Context, preset: Flat) -> Iterator[Problem]:
    if PROCESSES in preset.variables("learner") and context.older("4.2.2") and not context.older("4.1.0"):
        yield Problem(
            _at(preset.tree, PROCESSES),
            f"ENV.NPROC_PER_NODE is {preset.variables('learner')['NPROC_PER_NODE']}, but this release reads it too"
            " late",
            f"{context.swift}: starts one learner",
            "set it in the shell, or use ms-swift 4.2.2 or newer",
        )


def shared_gpus(context: Context, preset: Flat) -> Iterator[Problem]:
    """A GPU that the variables of both sides name."""
    shared = {*preset.gpus("learner")} & {*preset.gpus("server")}
    if shared and preset.server is not None:
        variable = preset.variable_path(GPUS)
        yield Problem(
            _at(preset.server, GPUS),
            f"{preset.server_path()}: {variable} names GPU {', '.join(sorted(shared))}, which the"
            f" learner's {variable.removesuffix('.' + GPUS)} names, too",
            f"{context.swift}: NCCL error: invalid usage (Duplicate GPU detected)",
            "give each side its own GPUs",
        )


@rule("gpu-without-process", apart=True, needs=("use_vllm", PROCESSES, GPUS))
def gpu_without_process(context: Context) -> Iterator[Problem]:
    """The learner sees more GPUs of its node than it has processes, or fewer.

    A process that sees two GPUs or more spreads the model over them, which GRPO with vLLM refuses; if the
    processes do not divide the GPUs, an assertion fails first (ms-swift 3.10.0 to 4.6.0, utils/env.py:63 is_mp;
    4.5.2, arguments/rlhf_args.py:541). Without NPROC_PER_NODE there is one process; that is a warning, because the
    shell may set another number.
    """
    preset = context.preset
    if not isinstance(preset, Flat) or (preset.layout == "flat" and context.older("4.1.0")):
        return
    if preset.variables("learner").get("SWIFT_SINGLE_DEVICE_MODE") == "1":
        return
    gpus, named = len(preset.gpus("learner")), PROCESSES in preset.variables("learner")
    processes = preset.processes if named else 1
    spreads = not gpus % (processes or 1)
    if not gpus or processes in (None, gpus) or (spreads and not context.trainer.config.use_vllm):
        return
    variable = preset.variable_path(PROCESSES)
    number = f"{variable} is {processes}" if named else "NPROC_PER_NODE is not set, so there is one process"
    where = "the shell" if preset.layout == "flat" and context.older("4.2.2") else preset.environment
    yield Problem(
        _at(preset.tree, PROCESSES if named else GPUS),
        f"{number}, but {preset.variable_path(GPUS)} names {gpus} GPUs",
        f"{context.swift}: {_SPREADS if spreads else 'AssertionError: n_gpu'}",
        f"set NPROC_PER_NODE to {gpus} in {where}",
        None if named else Severity.WARNING,
    )


@rule("encoding-of-one-side", apart=True, mode="server")
def encoding_of_one_side(context: Context) -> Iterator[Problem]:
    """A variable that decides the tokens of both sides is in ENV of only one file, or has two values.

    Each side reads its own environment (ms-swift 4.5.2, model/models/qwen.py:697 patch_qwen_vl_utils, and
    get_env_args in template/): silently, completions are sampled from other tokens of a picture than the learner
    trains on. It is a warning if one file does not set the variable, because the shell may set it there.
    """
    preset = context.preset
    if not isinstance(preset, Flat) or preset.server is None:
        return
    ours, theirs = preset.variables("learner"), preset.variables("server")
    names = TEXTS if sees(context.checkpoint) is False else TEXTS | MEDIA
    for name in sorted(names & (ours.keys() | theirs.keys())):
        mine, other = ours.get(name), theirs.get(name)
        if mine != other:
            yield Problem(
                _at(preset.server, name) if mine is None else _at(preset.tree, name),
                f"{preset.variable_path(name)} is {mine or 'not set'} in {preset.learner_path}, but"
                f" {other or 'not set'} in {preset.server_path()}",
                f"{context.swift}: the server samples from other tokens than the learner trains on",
                "set the same value on both sides",
                Severity.WARNING if mine is None or other is None else None,
            )


def _path(preset: Preset, name: object) -> str:
    return preset.variable_path(str(name)) if isinstance(preset, Flat) else f"{ENVIRONMENT}.{name}"


def _at(half: Branch, name: str) -> Place:
    variable = half.find(ENVIRONMENT, name)
    return variable.place if variable else half.place
