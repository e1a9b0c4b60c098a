"""Rules about vllm_engine_kwargs, which ms-swift hands to vLLM unread."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema import argument
from schema import catalogue
from schema.checkpoint import sees
from schema.findings import Severity
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.place import Place
    from schema.resolve import Tree
    from schema.rules.base import Context

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
_ADAPTERS = ("enable_lora", "max_loras", "max_lora_rank")


class _Said(NamedTuple):
    value: object
    places: dict[str, Place]
    place: Place


@rule("engine-kwargs", components=True)
def engine_kwargs(context: Context) -> Iterator[Problem]:
    """An engine argument that vLLM does not have, or that ms-swift passes already.

    Both are a TypeError in the worker, after the server has started to load (ms-swift 4.5.2,
    infer_engine/vllm_engine.py:358). The arguments are those of the vLLM release that the target ms-swift
    recommends (vllm/engine/arg_utils.py AsyncEngineArgs). The value is a mapping, JSON text, or the path of
    a JSON file (ms-swift 4.5.2, utils/utils.py:409 json_parse_to_dict).
    """
    for said in _places(context):
        arguments = argument.mapping(said.value)
        if arguments is None:
            yield Problem(
                said.place,
                f"vllm_engine_kwargs is {said.value!r}, which is neither a mapping nor JSON of one",
                f"{context.swift}: tries to repair it, and passes on what comes out",
                "write it as a mapping",
            )
            continue
        for name in arguments:
            yield from _argument(context, name, said.places.get(name, said.place))


def _places(context: Context) -> Iterator[_Said]:
    block = context.preset.block
    tree = block.find("vllm_engine_kwargs") if isinstance(block, Branch) else None
    if tree is not None:
        yield _said(tree)
    if context.preset.mode != "server" and "vllm_engine_kwargs" in context.preset.arguments:
        mine = context.preset.tree.find(*context.preset.arguments["vllm_engine_kwargs"].steps)
        if mine is not None:
            yield _said(mine)


def _said(tree: Tree) -> _Said:
    places = {str(name): child.key for name, child in tree.children.items()} if isinstance(tree, Branch) else {}
    return _Said(data(tree), places, tree.place)


def _argument(context: Context, name: str, place: Place) -> Iterator[Problem]:
    vllm = context.release.vllm
    known = catalogue.vllm_engine_args(vllm)
    if name in PASSED_ALREADY:
        field = PASSED_ALREADY[name]
        yield Problem(
            place,
            f"vllm_engine_kwargs.{name} is passed by ms-swift itself",
            f"{context.swift}: TypeError: got multiple values for keyword argument {name!r}, in the worker",
            f"set {field} instead" if field else "remove it",
        )
    elif name in _ADAPTERS:
        yield Problem(
            place,
            f"vllm_engine_kwargs.{name} makes the engine load adapters behind ms-swift's back",
            f"{context.swift}: the learner still sends merged weights",
            "remove it",
        )
    elif name not in known:
        close = get_close_matches(name, known, n=1, cutoff=0.7)
        yield Problem(
            place,
            f"vLLM {vllm} has no engine argument {name}{f'; did you mean {close[0]}?' if close else ''}",
            f"{context.swift}: TypeError: unexpected keyword argument {name!r}, in the worker",
            "rename or remove it",
        )


@rule("multimodal-cache", severity=Severity.WARNING, mode="server", needs=("vllm_mm_processor_cache_gb",))
def multimodal_cache(context: Context) -> Iterator[Problem]:
    """A multimodal processor cache (vLLM's) on a rollout server of a model that takes pictures.

    `AssertionError: Expected a cached item for mm_hash=` was seen with it (ms-swift #5858, #7307, #9863: a
    known issue of vLLM, avoided by vllm_mm_processor_cache_gb 0). Only where the checkpoint's own config.json
    is here to tell that the model takes pictures.
    """
    if context.server is None or not sees(context.preset.value("model")):
        return
    size = context.server.config.vllm_mm_processor_cache_gb
    if size != 0:
        yield Problem(
            context.at_server("vllm_mm_processor_cache_gb"),
            f"vllm_mm_processor_cache_gb is {'not set' if size is None else size}, and the model takes pictures",
            f"{context.swift}: AssertionError: Expected a cached item for mm_hash=... was seen",
            "set vllm_mm_processor_cache_gb to 0",
        )
