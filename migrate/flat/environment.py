"""`ENV` by side: which variables the learner needs, which the server, and which both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.errors import InputError
from schema.layouts.flat import ENVIRONMENT
from schema.swift.variables import ALLOCATORS
from schema.swift.variables import DISTRIBUTED
from schema.swift.variables import GPUS
from schema.swift.variables import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from migrate.flat.pair import Pair
    from schema.yamltext.edit import Edit

#: What only training acts on: processes, loggers, DeepSpeed and FSDP, the sender of weights, the allocator.
_LEARNER = (*DISTRIBUTED, *ALLOCATORS, "SWIFT_UPDATE_WEIGHTS_BUCKET_SIZE", "SWIFT_SINGLE_DEVICE_MODE")
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


def divided(pair: Pair) -> Iterator[Edit]:
    """The edits of both files that give each side its variables and its GPUs.

    Raises:
        InputError: ENV names other GPUs than the split needs, or cannot say how many learners there are.
    """
    own = pair.environments[0].entries
    if not pair.changes_mode and pair.preset.server is not None:
        yield from _resplit(pair)
        return
    if pair.changes_mode and (PROCESSES in own or GPUS in own):
        yield from _gpus(pair)
    yield from _processes(pair)
    for name in own:
        if name != GPUS and not is_learner_s(name):
            yield from _shared(pair, name)


def _shared(pair: Pair, name: str) -> Iterator[Edit]:
    """The edits of a variable that the server acts on."""
    learner, server = pair.environments
    if is_server_s(name) and name in server.entries:
        yield learner.remove(name, server.says_it)
    elif is_server_s(name):
        yield server.take(name, "only the server acts on it", learner)
    elif name not in server.entries:
        yield server.add(name, learner.entries[name], f"either side may act on it; as in {pair.path.name}")


def _resplit(pair: Pair) -> Iterator[Edit]:
    # Only what the caller gives changes the sides of a pair that is divided already.
    if not pair.target.resplits:
        return
    if any(GPUS in home.entries for home in pair.environments):
        why = f"{pair.rollout} GPUs roll out, {pair.train} learn"
        for home, gpus in zip(pair.environments, _shares(pair), strict=True):
            if gpus != home.entries.get(GPUS):
                yield home.add(GPUS, gpus, why)
    yield from _processes(pair)


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
    name, says = (GPUS, "names") if pair.preset.gpus("learner") else (PROCESSES, "asks for")
    return InputError(
        f"{name} {says} {there}, but {pair.rollout} roll out and {pair.train} learn; set {GPUS} for each side by"
        " hand first, or pass fitting --rollout-gpus and --train-gpus",
        (pair.preset.tree.find(ENVIRONMENT, name) or pair.preset.tree).place,
    )


def _processes(pair: Pair) -> Iterator[Edit]:
    """The edit that says how many processes learn, where ENV says it, or the caller does.

    Written down, the next call knows for how many learners the batch was made.

    Raises:
        InputError: the caller splits a pair again, and the release reads NPROC_PER_NODE in ENV too late
            (before 4.2.2, cli/main.py:96-97 of 4.2.1).
    """
    learner, world = pair.environments[0], pair.world_after
    if PROCESSES in learner.entries:
        learners = pair.preset.learners
        # Where NNODES is no number, nobody knows how many learn, whatever is written down here.
        is_written = str(learner.entries[PROCESSES]) == str(world)
        if not is_written and (learners is None or learners.count != world):
            yield learner.add(PROCESSES, world, "one process for each GPU of the learner")
    elif pair.target.train_gpus is not None and not pair.context.older("4.2.2"):
        yield learner.add(PROCESSES, world, f"the batch numbers are for W {world}")
    elif pair.target.train_gpus is not None and not pair.changes_mode and pair.world_before != world:
        raise InputError(
            f"nothing in the preset says that it has {pair.world_before} learners, and {pair.context.swift} does"
            f" not read {PROCESSES} in {ENVIRONMENT}; change the batch and the GPUs by hand",
            pair.preset.start,
        )


def _gpus(pair: Pair) -> Iterator[Edit]:
    learner, server = pair.environments
    # One process says nothing of how many GPUs the node has.
    count = pair.world_before if pair.world_before > 1 else pair.rollout + pair.train
    there = pair.preset.gpus("learner") or tuple(str(gpu) for gpu in range(count))
    mine, its = _dealt(pair, there)
    why = f"of {len(there)} GPUs the first {pair.rollout} roll out, the next {pair.train} learn"
    yield learner.add(GPUS, mine, why, PROCESSES)
    if GPUS not in server.entries:
        yield server.add(GPUS, its, why)


def joined(pair: Pair) -> Iterator[Edit]:
    """The edits of both files that bring the server's variables and GPUs back to the learner.

    Raises:
        InputError: ENV names fewer GPUs than learners.
    """
    learner, server = pair.environments
    for name in server.entries if pair.changes_mode else ():
        yield _back(pair, name)
    yield from _processes(pair)
    if GPUS in learner.entries and (GPUS in server.entries or not pair.changes_mode):
        yield from _all_gpus(pair)


def _back(pair: Pair, name: str) -> Edit:
    learner, server = pair.environments
    if name == GPUS:
        return server.remove(name, "not carried over: engine and learner share all GPUs")
    if name not in learner.entries:
        return learner.take(name, "the learner's own engine acts on it", server)
    value = learner.entries[name]
    lost = learner.says_it if value == server.entries[name] else f"{pair.path.name} says {value}"
    return server.remove(name, f"not carried over: {lost}")


def _all_gpus(pair: Pair) -> Iterator[Edit]:
    there = (*(pair.preset.gpus("server") if pair.changes_mode else ()), *pair.preset.gpus("learner"))
    if len(there) < pair.world_after:
        raise InputError(
            f"{GPUS} names {len(there)} GPUs, but {pair.world_after} must learn; pass --train-gpus"
            f" {len(there)}, or name more",
            pair.preset.tree.children[ENVIRONMENT].key,
        )
    if pair.world_before != pair.world_after or pair.changes_mode:
        mine = ",".join(there[: pair.world_after])
        yield pair.environments[0].add(GPUS, mine, "engine and learner share all GPUs")
