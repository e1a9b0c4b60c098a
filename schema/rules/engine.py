"""Rules about vllm_engine_kwargs, which ms-swift passes to vLLM unread."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema import catalogue
from schema import fixes
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift import argument
from schema.swift.roles import ROLES
from schema.swift.roles import UNREAD_IN_COLOCATE
from schema.swift.roles import Misplaced
from schema.swift.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set

    from schema.catalogue import Field
    from schema.context import Context
    from schema.fixes import Edits
    from schema.place import Place
    from schema.resolve import Tree
    from schema.yamltext.edit import Path

#: Engine arguments that ms-swift passes itself, by the field that sets them; "" where none does
#: (4.5.2, infer_engine/vllm_engine.py:358 _prepare_engine_kwargs).
PASSED_ALREADY = {
    "model": "model",
    "dtype": "torch_dtype",
    "gpu_memory_utilization": "vllm_gpu_memory_utilization",
    "tensor_parallel_size": "vllm_tensor_parallel_size",
    "pipeline_parallel_size": "vllm_pipeline_parallel_size",
    "max_model_len": "vllm_max_model_len",
    "max_num_seqs": "vllm_max_num_seqs",
    "disable_custom_all_reduce": "vllm_disable_custom_all_reduce",
    "enforce_eager": "vllm_enforce_eager",
    "trust_remote_code": "",
    "distributed_executor_backend": "",
}
#: Engine arguments that ms-swift writes itself over what it is given, by the field that sets them; "" where none
#: does (4.5.2, infer_engine/vllm_engine.py:332-342, pipelines/infer/rollout.py:812-826).
OVERWRITTEN = {
    "enable_expert_parallel": "vllm_enable_expert_parallel",
    "disable_cascade_attn": "vllm_disable_cascade_attn",
    "enable_sleep_mode": "",
    "logprobs_mode": "",
    "seed": "",
}
#: The same on the rollout server alone.
OVERWRITTEN_ON_SERVER = {"data_parallel_size": "vllm_data_parallel_size", "worker_extension_cls": ""}
#: Engine arguments that a field of this name with the prefix `vllm_` overrides, where that is set.
_GIVE_WAY = (
    "enable_prefix_caching",
    "limit_mm_per_prompt",
    "mm_processor_cache_gb",
    "speculative_config",
    "quantization",
)
_ADAPTERS = ("enable_lora", "max_loras", "max_lora_rank")
#: Kinds of engine arguments for which vLLM accepts no other type.
_PLAIN = ("bool", "int", "float", "choice")


class _Kwargs(NamedTuple):
    value: object
    keys: dict[str, Place]
    path: Path
    place: Place
    beside: frozenset[str]
    server: bool


@rule("engine-kwargs", components=True, needs=("vllm_engine_kwargs",))
def engine_kwargs(context: Context) -> Iterator[Problem]:
    """An engine argument that vLLM does not have or accept, or that ms-swift passes or overwrites itself.

    One that vLLM lacks, or that ms-swift passes, is a TypeError in the worker, after the server has started to
    load (ms-swift 4.5.2, infer_engine/vllm_engine.py:358); overwriting is silent (:332-342). The arguments are
    those of the vLLM release that the target ms-swift recommends (vllm/engine/arg_utils.py AsyncEngineArgs). The
    value is a mapping, JSON text, or the path of a JSON file (ms-swift 4.5.2, utils/utils.py:409
    json_parse_to_dict).
    """
    for kwargs in _places(context):
        arguments = argument.mapping(kwargs.value)
        if arguments is None:
            yield Problem(
                kwargs.place,
                f"vllm_engine_kwargs is {kwargs.value!r}, which is neither a mapping nor JSON of one",
                f"{context.swift}: tries to repair it, and passes on the result",
                "write it as a mapping",
            )
            continue
        for name, value in arguments.items():
            yield from _argument(context, kwargs, str(name), value)


def _places(context: Context) -> Iterator[_Kwargs]:
    block = context.preset.block
    tree = block.find("vllm_engine_kwargs") if isinstance(block, Branch) else None
    if tree is not None and isinstance(block, Branch):
        path = (*context.preset.server_steps, "vllm_engine_kwargs")
        yield _kwargs(tree, path, {str(name) for name in block.children if block.find(name)}, server=True)
    if context.preset.mode != "server" and "vllm_engine_kwargs" in context.preset.arguments:
        path = context.preset.arguments["vllm_engine_kwargs"].steps
        mine = context.preset.tree.find(*path)
        if mine is not None:
            yield _kwargs(mine, path, context.preset.arguments.keys(), server=False)


def _kwargs(tree: Tree, path: Path, beside: Set[str], *, server: bool) -> _Kwargs:
    keys = {str(name): child.key for name, child in tree.children.items()} if isinstance(tree, Branch) else {}
    return _Kwargs(data(tree), keys, path, tree.place, frozenset(beside), server)


def _argument(context: Context, kwargs: _Kwargs, name: str, value: object) -> Iterator[Problem]:
    vllm, place = context.release.vllm, kwargs.keys.get(name, kwargs.place)
    known = catalogue.vllm_engine_args(vllm)
    if name in PASSED_ALREADY:
        yield Problem(
            place,
            f"vllm_engine_kwargs.{name} is an argument that ms-swift passes itself",
            f"{context.swift}: TypeError: got multiple values for keyword argument {name!r}, in the worker",
            _instead(context, kwargs, PASSED_ALREADY[name]),
        )
    elif name in _ADAPTERS:
        yield Problem(
            place,
            f"vllm_engine_kwargs.{name} makes the engine load adapters that ms-swift does not know of",
            f"{context.swift}: the learner still sends merged weights",
            "remove it",
        )
    elif name not in known:
        close = context.near(name, known)
        edits = _rename(context, kwargs, name, close, value) if close else ()
        yield Problem(
            place,
            f"vLLM {vllm} has no engine argument {name}{f'; did you mean {close}?' if close else ''}",
            f"{context.swift}: TypeError: unexpected keyword argument {name!r}, in the worker",
            f"rename it to {close}" if edits else "rename or remove it",
            edits=edits,
        )
    elif (winner := _overwriting(context, kwargs, name)) is not None:
        yield Problem(
            place,
            f"vllm_engine_kwargs.{name} is overwritten by {winner or 'ms-swift itself'}",
            f"{context.swift}: {Misplaced.IGNORED.value}",
            _instead(context, kwargs, winner),
        )
    elif (wrong := _wrong(known[name], value)) is not None:
        yield Problem(
            place,
            f"vllm_engine_kwargs.{name} is {value!r}: {wrong}",
            f"{context.swift}: vLLM {vllm} stops while it loads",
            f"set it to {argument.expected(known[name])}",
        )


def _rename(context: Context, kwargs: _Kwargs, name: str, close: str, value: object) -> Edits:
    """The right name, where that is an argument which nothing else forbids or sets."""
    known = catalogue.vllm_engine_args(context.release.vllm)
    if close in (*PASSED_ALREADY, *_ADAPTERS, *kwargs.keys) or name not in kwargs.keys:
        return ()
    if _overwriting(context, kwargs, close) is not None or _wrong(known[close], value) is not None:
        return ()
    return fixes.rename(context, kwargs.keys[name], (*kwargs.path, name), close, known)


def _instead(context: Context, kwargs: _Kwargs, field: str) -> str:
    """The fix: the field that counts, unless it is set already or another finding would forbid it there."""
    unread = not kwargs.server and field in UNREAD_IN_COLOCATE
    if not field or field in kwargs.beside or unread or field == "vllm_pipeline_parallel_size":
        return "remove it"
    row = ROLES.get(field)
    shared = row is not None and row.role is Role.BOTH
    if shared and context.preset.value(field) is not None:
        return "remove it"
    return f"set {context.preset.path(field) if shared else field} instead"


def _overwriting(context: Context, kwargs: _Kwargs, name: str) -> str | None:
    """The field that overrides an engine argument; "" for ms-swift itself, None if the argument counts."""
    if name == "load_format" and kwargs.server and context.older("3.11.2"):
        return ""
    if name == "logprobs_mode" and context.older("3.11.0"):
        return None
    if name == "seed" and kwargs.server and context.older("3.12.3"):
        return None
    if name in _GIVE_WAY:
        return f"vllm_{name}" if f"vllm_{name}" in kwargs.beside else None
    winner = (OVERWRITTEN | OVERWRITTEN_ON_SERVER if kwargs.server else OVERWRITTEN).get(name)
    return "" if winner in UNREAD_IN_COLOCATE and not kwargs.server else winner


def _wrong(field: Field, value: object) -> str | None:
    plain = field.kind in _PLAIN and not field.many
    return argument.problem(field, value) if plain and value is not None else None
