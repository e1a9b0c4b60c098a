"""Rules about adapters on the rollout server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.resolve.tree import Branch
from schema.rules.base import Problem
from schema.rules.base import rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.rules.base import Context


@rule("vllm-lora", mode="server", needs=("vllm_enable_lora",))
def vllm_lora(context: Context) -> Iterator[Problem]:
    """Adapters inside vLLM: forbidden on the rollout server, which gets merged weights.

    With vllm_enable_lora only adapters are synchronised (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:652),
    and vLLM rejects DoRA and modules_to_save ("vLLM does not yet support DoRA.", vLLM 0.23.0,
    lora/peft_helper.py); adapters on ViT and aligner need further engine arguments.
    """
    block = context.preset.block
    if context.server is None or not isinstance(block, Branch):
        return
    if context.server.config.vllm_enable_lora:
        yield Problem(
            context.at_server("vllm_enable_lora"),
            "vllm_enable_lora is true, but the rollout server must get merged weights",
            f"{context.swift}: adapter-only sync; vLLM rejects DoRA, and a rank above vllm_max_lora_rank",
            "set vllm_enable_lora to false",
        )
    if (rank := block.find("vllm_max_lora_rank")) is not None:
        yield Problem(
            rank.place,
            "vllm_max_lora_rank is set, but the rollout server must not load adapters",
            f"{context.swift}: read only with vllm_enable_lora, which is forbidden here",
            "remove it",
        )
