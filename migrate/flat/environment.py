"""`ENV` by side: which variables the learner needs, which the server, and which both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.yamledit.edits import Add
from migrate.yamledit.edits import Change
from migrate.yamledit.edits import Move
from migrate.yamledit.edits import Remove
from migrate.yamledit.edits import at
from schema.errors import InputError
from schema.layouts.flat import ENVIRONMENT
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.split.decide import Given
from schema.swift.variables import DISTRIBUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.flat.pair import Pair
    from migrate.yamledit.edits import Edit

GPUS, PROCESSES = "CUDA_VISIBLE_DEVICES", "NPROC_PER_NODE"
#: What only training acts on: processes, loggers, DeepSpeed and FSDP, the sender of weights, the allocator.
_LEARNER = (
    *DISTRIBUTED,
    "SWIFT_UPDATE_WEIGHTS_BUCKET_SIZE",
    "SWIFT_SINGLE_DEVICE_MODE",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTORCH_ALLOC_CONF",
)
_LEARNER_PREFIXES = ("WANDB_", "SWANLAB_", "MLFLOW_", "COMET_", "CLEARML_", "TENSORBOARD_", "DS_", "FSDP_")
#: What only an engine acts on; the learner uses vLLM's communicator, and its logging.
_SERVER_PREFIXES = ("VLLM_", "SWIFT_ROLLOUT_")
_COMMUNICATOR = ("VLLM_NCCL_SO_PATH", "VLLM_HOST_IP", "VLLM_LOGGING_LEVEL", "VLLM_CONFIGURE_LOGGING")


def is_learner_s(name: str) -> bool:
    """Whether only the learner acts on a variable."""
    return name in _LEARNER or name.startswith(_LEARNER_PREFIXES)


def is_server_s(name: str) -> bool:
    """Whether only the server acts on a variable."""
    return name.startswith(_SERVER_PREFIXES) and name not in _COMMUNICATOR


def divided(pair: Pair) -> list[Edit]:
    """The edits of both files that give each side its variables and its GPUs.

    Raises:
        InputError: ENV names other GPUs than the split needs, or cannot say how many learners there are.
    """
    own, other = variables(pair.preset.tree), variables(pair.preset.server)
    if not pair.changes_mode and pair.preset.server is not None:
        return _resplit(pair, own, other)
    edits = _gpus(pair, own, other) if pair.changes_mode and (PROCESSES in own or GPUS in own) else []
    edits += at(pair.path, _processes(pair, own))
    for name in own:
        if name != GPUS and not is_learner_s(name):
            edits += _shared(pair, name, own[name], other)
    return edits


def _shared(pair: Pair, name: str, value: object, other: dict[str, object]) -> list[Edit]:
    """The edits of a variable that the server acts on."""
    path = (ENVIRONMENT, name)
    if is_server_s(name) and name in other:
        return at(pair.path, [Remove(path, f"{pair.server_path.name} sets it already")])
    if is_server_s(name):
        return at(pair.path, [Move(path, path, "only the server acts on it", into=pair.server_path)])
    if name in other:
        return []
    return at(pair.server_path, [Add(path, value, f"either side may act on it; as in {pair.path.name}")])


def _resplit(pair: Pair, own: dict[str, object], other: dict[str, object]) -> list[Edit]:
    # Only what the caller gives changes the sides of a pair that is divided already.
    edits: list[Edit] = []
    if pair.target.given == Given():
        return edits
    if GPUS in own or GPUS in other:
        path, (mine, its) = (ENVIRONMENT, GPUS), _shares(pair)
        why = f"{pair.rollout} GPUs roll out, {pair.train} learn"
        edits += at(pair.path, [Change(path, mine, why)] if mine != own.get(GPUS) else [])
        edits += at(pair.server_path, [Change(path, its, why)] if its != other.get(GPUS) else [])
    return edits + at(pair.path, _processes(pair, own))


def _shares(pair: Pair) -> tuple[str, str]:
    there = (*pair.preset.gpus("server"), *pair.preset.gpus("learner"))
    if not all(pair.preset.gpus(side) for side in ("server", "learner")):
        raise _unfit(pair, f"{len(there)} GPUs on one side only")
    return _dealt(pair, there)


def _dealt(pair: Pair, there: Sequence[str]) -> tuple[str, str]:
    """The learner's GPUs and the server's: the first roll out, the next learn."""
    rollout, train = pair.rollout, pair.train
    if len(there) < rollout + train:
        raise _unfit(pair, f"{len(there)} GPUs")
    return ",".join(there[rollout : rollout + train]), ",".join(there[:rollout])


def _unfit(pair: Pair, there: str) -> InputError:
    return InputError(
        f"{ENVIRONMENT} names {there}, but {pair.rollout} roll out and {pair.train} learn; set {GPUS} in"
        " both files by hand first, or pass fitting --rollout-gpus and --train-gpus",
        (pair.preset.tree.children.get(ENVIRONMENT) or pair.preset.tree).key,
    )


def _processes(pair: Pair, own: dict[str, object]) -> list[Edit]:
    """The edit that says how many processes learn, where ENV says it, or the caller does.

    Written down, the next call knows for how many learners the batch was made.

    Raises:
        InputError: the caller splits a pair again, and the release reads NPROC_PER_NODE in ENV too late
            (before 4.2.2, cli/main.py:96-97 of 4.2.1).
    """
    path, world = (ENVIRONMENT, PROCESSES), pair.world_after
    if PROCESSES in own:
        learners = pair.preset.learners
        same = learners is not None and learners.count == world
        return [] if same else [Change(path, world, "one process for each GPU of the learner")]
    if pair.target.train_gpus is None:
        return []
    if not pair.context.older("4.2.2"):
        return [Add(path, world, f"the batch numbers are for W {world}")]
    if not pair.changes_mode and pair.world_before != world:
        raise InputError(
            f"nothing in the preset says that it has {pair.world_before} learners, and {pair.context.swift} does"
            f" not read {PROCESSES} in {ENVIRONMENT}; change the batch and the GPUs by hand",
            pair.preset.start,
        )
    return []


def variables(half: Branch | None) -> dict[str, object]:
    """What ENV of a file says."""
    found = half.find(ENVIRONMENT) if half else None
    return {str(name): data(tree) for name, tree in found.children.items()} if isinstance(found, Branch) else {}


def _gpus(pair: Pair, own: dict[str, object], other: dict[str, object]) -> list[Edit]:
    there = pair.preset.gpus("learner") or tuple(str(gpu) for gpu in range(pair.world_before))
    mine, its = _dealt(pair, there)
    path = (ENVIRONMENT, GPUS)
    why = f"of {len(there)} GPUs the first {pair.rollout} roll out, the next {pair.train} learn"
    learner = Change(path, mine, why) if GPUS in own else Add(path, mine, why, PROCESSES)
    server = [Add(path, its, why)] if GPUS not in other else []
    return [*at(pair.path, [learner]), *at(pair.server_path, server)]


def _instead(pair: Pair, name: str, value: object, own: dict[str, object]) -> str:
    if name == GPUS:
        return "engine and learner share all GPUs"
    return f"{pair.path.name} sets it already" if own[name] == value else f"{pair.path.name} says {own[name]}"


def joined(pair: Pair) -> list[Edit]:
    """The edits of both files that bring the server's variables and GPUs back to the learner.

    Raises:
        InputError: ENV names fewer GPUs than learners.
    """
    own, other = variables(pair.preset.tree), variables(pair.preset.server)
    server: list[Edit] = [_back(pair, name, value, own) for name, value in other.items() if pair.changes_mode]
    learner = _processes(pair, own)
    if GPUS in own and (GPUS in other or not pair.changes_mode):
        there = (*(pair.preset.gpus("server") if pair.changes_mode else ()), *pair.preset.gpus("learner"))
        learner += _all_gpus(pair, there)
    return [*at(pair.server_path, server), *at(pair.path, learner)]


def _back(pair: Pair, name: str, value: object, own: dict[str, object]) -> Edit:
    path = (ENVIRONMENT, name)
    if name in own or name == GPUS:
        return Remove(path, f"not carried over: {_instead(pair, name, value, own)}")
    return Move(path, path, "the learner's own engine acts on it", into=pair.path)


def _all_gpus(pair: Pair, there: tuple[str, ...]) -> list[Edit]:
    if len(there) < pair.world_after:
        raise InputError(
            f"{ENVIRONMENT} names {len(there)} GPUs, but {pair.world_after} must learn; pass --train-gpus"
            f" {len(there)}, or name more",
            pair.preset.tree.children[ENVIRONMENT].key,
        )
    if pair.world_before == pair.world_after and not pair.changes_mode:
        return []
    return [Change((ENVIRONMENT, GPUS), ",".join(there[: pair.world_after]), "engine and learner share all GPUs")]
