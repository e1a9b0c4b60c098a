"""`ENV` by side: which variables the learner needs, which the server, and which both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.edits import Add
from migrate.edits import Change
from migrate.edits import Remove
from migrate.native.edits import copied
from migrate.native.edits import sent
from schema.errors import InputError
from schema.launch.plan import DISTRIBUTED
from schema.layouts.native import ENVIRONMENT
from schema.resolve.tree import Branch
from schema.resolve.tree import data

if TYPE_CHECKING:
    from migrate.edits import Edit
    from migrate.native.pair import Pair

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

Halves = tuple[list["Edit"], list["Edit"]]


def is_learner_s(name: str) -> bool:
    """Whether only the learner acts on a variable."""
    return name in _LEARNER or name.startswith(_LEARNER_PREFIXES)


def is_server_s(name: str) -> bool:
    """Whether only the server acts on a variable."""
    return name.startswith(_SERVER_PREFIXES) and name not in _COMMUNICATOR


def divided(pair: Pair) -> Halves:
    """The edits of both files that give each side its variables, and its GPUs if they are divided only now.

    Raises:
        InputError: ENV names fewer GPUs than the split needs.
    """
    own, other = variables(pair.preset.tree), variables(pair.preset.server)
    learner: list[Edit] = []
    server: list[Edit] = []
    if pair.leaves and (PROCESSES in own or GPUS in own):
        _gpus(pair, own, other, learner, server)
    for name, value in own.items():
        path = (ENVIRONMENT, name)
        if name == GPUS or is_learner_s(name):
            continue
        if name in other and is_server_s(name):
            learner.append(Remove(path, f"{pair.server_path.name} says it already"))
        elif is_server_s(name):
            depart, arrive = sent(pair.learner, path, "only the server acts on it")
            learner.append(depart)
            server.append(arrive)
        elif name not in other:
            server.append(copied(path, value, f"either side may act on it; as in {pair.path.name}"))
    return learner, server


def variables(half: Branch | None) -> dict[str, object]:
    """What ENV of a file says."""
    said = half.find(ENVIRONMENT) if half else None
    return {str(name): data(tree) for name, tree in said.children.items()} if isinstance(said, Branch) else {}


def _gpus(
    pair: Pair, own: dict[str, object], other: dict[str, object], learner: list[Edit], server: list[Edit]
) -> None:
    rollout, train = pair.rollout, pair.train
    there = pair.preset.gpus("learner") or tuple(str(gpu) for gpu in range(pair.together))
    if len(there) < rollout + train:
        raise InputError(
            f"{ENVIRONMENT} gives {len(there)} GPUs, but {rollout} roll out and {train} learn; say --rollout-gpus"
            " and --train-gpus",
            pair.preset.tree.children[ENVIRONMENT].key,
        )
    path = (ENVIRONMENT, GPUS)
    mine, its = (",".join(gpus) for gpus in (there[rollout : rollout + train], there[:rollout]))
    why = f"of {len(there)} GPUs the first {rollout} roll out, the next {train} learn"
    learner.append(Change(path, mine, why) if GPUS in own else Add(path, mine, why, PROCESSES))
    if GPUS not in other:
        server.append(copied(path, its, why))
    if PROCESSES in own and own[PROCESSES] != train:
        learner.append(Change((ENVIRONMENT, PROCESSES), train, "one process a GPU of the learner"))


def _instead(pair: Pair, name: str, value: object, own: dict[str, object]) -> str:
    if name == GPUS:
        return "engine and learner share all GPUs"
    return f"{pair.path.name} says it already" if own[name] == value else f"{pair.path.name} says {own[name]}"


def joined(pair: Pair) -> Halves:
    """The edits of both files that bring the server's variables back, for a pair that leaves server mode."""
    own, other = variables(pair.preset.tree), variables(pair.preset.server)
    learner: list[Edit] = []
    server: list[Edit] = []
    for name, value in other.items():
        path = (ENVIRONMENT, name)
        if name in own or name == GPUS:
            server.append(Remove(path, f"not carried: {_instead(pair, name, value, own)}"))
            continue
        depart, arrive = sent(pair.server, path, "the learner's own engine acts on it", whole=True)
        server.append(depart)
        learner.append(arrive)
    if PROCESSES in own:
        learner.append(Change((ENVIRONMENT, PROCESSES), pair.together, "one process a GPU"))
    if GPUS in own and GPUS in other:
        all_gpus = ",".join((*pair.preset.gpus("server"), *pair.preset.gpus("learner")))
        learner.append(Change((ENVIRONMENT, GPUS), all_gpus, "engine and learner share all GPUs"))
    return learner, server
