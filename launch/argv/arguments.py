"""The two command lines that a preset means."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from schema.errors import InputError
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.split.batch import batch
from schema.swift import argument
from schema.swift.address import Address
from schema.swift.address import connection
from schema.swift.lengths import prompt_length

if TYPE_CHECKING:
    from schema.context import Context
    from schema.layouts.preset import Preset

#: ms-swift's own entry point, which its command line starts in the same way (4.5.2, cli/main.py:93).
SWIFT_RLHF = "swift.cli.rlhf"


def server(context: Context) -> tuple[str, ...]:
    """`swift rollout` with its arguments.

    Raises:
        InputError: as `address`.
    """
    return ("swift", "rollout", *_words(server_arguments(context)))


def server_arguments(context: Context) -> dict[str, object]:
    """The values for RolloutArguments: what both sides share, the address, and the server's own block.

    Raises:
        InputError: as `address`.
    """
    return {**context.preset.shared} | address(context)._asdict() | _block(context.preset)


def address(context: Context) -> Address:
    """The address where the server listens, and to which the learner connects.

    Raises:
        InputError: the preset names no such address; a rule reports it, too.
    """
    host, port = connection(context)
    if host is None or port is None:
        raise InputError("names no address where its server can listen", context.at("vllm_mode"))
    return Address(host, port)


def _block(preset: Preset) -> dict[str, object]:
    children = preset.block.children if isinstance(preset.block, Branch) else {}
    # The key must not be on a command line; launch.starters passes it on.
    values = {str(name): data(tree) for name, tree in children.items() if name != "api_key"}
    return {name: value for name, value in values.items() if value is not None}


def learner(context: Context, world: int) -> tuple[str, ...]:
    """`torchrun` on ms-swift's own RLHF entry point, one process per learner GPU."""
    return (*_torchrun(world), SWIFT_RLHF, *_words(learner_arguments(context, world)))


def repository_learner(preset: Preset, world: int, entry: str) -> tuple[str, ...]:
    """`torchrun` on a training repository's own module, which reads the preset itself."""
    return (*_torchrun(world), entry, "--config", str(preset.resolved.path))


def _torchrun(world: int) -> tuple[str, ...]:
    # --standalone picks a free port for the rendezvous, so that two jobs on a node do not clash.
    return ("torchrun", "--standalone", f"--nproc_per_node={world}", "-m")


def learner_arguments(context: Context, world: int) -> dict[str, object]:
    """The values for RLHFArguments: flattened sections, without repository-owned keys and nulls.

    Repository-owned keys add what they mean: gradient_accumulation_steps for this number of learners, max_length
    for the prompt that global_max_length allows, and the DeepSpeed configuration.
    """
    preset = context.preset
    arguments = {name: setting.value for name, setting in preset.arguments.items()}
    accumulation = batch(preset, context.trainer.config, world).accumulation
    if accumulation is not None:
        arguments["gradient_accumulation_steps"] = accumulation
    if preset.limit is not None and (length := prompt_length(context)) is not None:
        arguments.setdefault("max_length", length)
    if preset.deepspeed is not None:
        arguments["deepspeed"] = preset.deepspeed.value
    return arguments


def _words(arguments: dict[str, Any]) -> list[str]:
    return [word for name, value in arguments.items() for word in argument.words(name, value)]
