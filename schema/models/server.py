"""The rollout server's settings, which become arguments of `swift rollout`."""

from __future__ import annotations

from pydantic import PositiveInt

from schema.models.engine import EngineConfig


class RolloutServerConfig(EngineConfig):
    """What `swift rollout` is started with (ms-swift 4.5.2, arguments/deploy_args.py RolloutArguments).

    A file of its own may leave all of it unset, and the server starts: on one GPU, with the model's own length
    (rlhf_trainers/args_mixin.py VllmArguments).
    """

    vllm_tensor_parallel_size: PositiveInt = 1
    """GPUs that one engine spans (TP)."""
    vllm_data_parallel_size: PositiveInt = 1
    """Engines (DP); TP x DP is the number of rollout GPUs."""
    vllm_max_model_len: PositiveInt | None = None
    """Tokens of prompt and completion together. If None, the model's own length."""
    api_key: str | None = None
    """What the server's routes ask for, from ms-swift 4.6.0 on; the variable ROLLOUT_SPLIT_API_KEY wins."""
    vllm_max_num_seqs: PositiveInt = 256
    """Sequences that one engine decodes at once."""


class RolloutServerBlock(RolloutServerConfig):
    """`custom.extra.rollout_server.*` of the nested layout, which names its split and its length.

    The block sets only what the server alone acts on. Model, template, plugins and the like come from the
    preset's own sections, host and port from `rlhf.vllm_server_*`, so that both sides cannot disagree.
    """

    vllm_tensor_parallel_size: PositiveInt
    """GPUs that one engine spans (TP)."""
    vllm_data_parallel_size: PositiveInt
    """Engines (DP); TP x DP is the number of rollout GPUs."""
    vllm_max_model_len: PositiveInt
    """Tokens of prompt and completion together; at least the preset's global_max_length."""
