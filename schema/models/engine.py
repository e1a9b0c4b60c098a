"""The vLLM engine knobs: the rollout server's in server mode, the learner's own in colocate mode."""

from __future__ import annotations

from typing import Annotated
from typing import Any

from pydantic import Field
from pydantic import NonNegativeFloat
from pydantic import PositiveInt

from schema.models.strict import StrictModel

Share = Annotated[float, Field(gt=0, le=1)]
JsonLike = dict[str, Any] | str


class EngineConfig(StrictModel):
    """Knobs of one vLLM engine, as ms-swift names them (4.5.2, rlhf_trainers/args_mixin.py VllmArguments)."""

    vllm_gpu_memory_utilization: Share = 0.9
    """Share of one GPU's memory that vLLM may fill with weights and KV cache; vLLM refuses more than 1."""
    vllm_pipeline_parallel_size: PositiveInt = 1
    """Pipeline stages; `swift rollout` refuses more than 1 (arguments/deploy_args.py:132)."""
    vllm_max_num_seqs: PositiveInt | None = None
    """Sequences that the engine decodes at once. If None, the engine's own choice."""
    vllm_enable_prefix_caching: bool | None = None
    """Whether prompts that begin alike share KV cache. If None, vLLM's own default."""
    vllm_enforce_eager: bool = False
    """Whether to run without CUDA graphs: starts faster, decodes slower."""
    vllm_limit_mm_per_prompt: JsonLike | None = None
    """Images, videos and audios that one prompt may carry. If None, vLLM's default."""
    vllm_mm_processor_cache_gb: NonNegativeFloat | None = None
    """GiB of vLLM's multimodal processor cache; 0 turns it off. If None, vLLM's default."""
    vllm_disable_cascade_attn: bool = False
    """Whether to turn vLLM's cascade attention off."""
    vllm_disable_custom_all_reduce: bool = True
    """Whether to turn vLLM's own all-reduce off in favour of NCCL's."""
    vllm_enable_expert_parallel: bool = False
    """Whether to spread experts over GPUs; switches the server to the async engine."""
    vllm_enable_lora: bool = False
    """Whether vLLM loads adapters instead of merged weights; this project forbids it on the server."""
    vllm_quantization: str | None = None
    """vLLM's quantization method. If None, the checkpoint's."""
    vllm_speculative_config: JsonLike | None = None
    """vLLM's speculative decoding settings. If None, none."""
    vllm_engine_kwargs: JsonLike | None = None
    """Further engine arguments of vLLM, as a mapping, JSON text or the path of a JSON file."""
    vllm_use_async_engine: bool | None = None
    """Whether to use vLLM's async engine. If None, only multi-turn rollouts do."""
