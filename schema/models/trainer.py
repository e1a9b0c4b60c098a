"""The learner's side of a rollout: what RLHFArguments reads and the learner acts on."""

from __future__ import annotations

from typing import Annotated
from typing import Literal

from pydantic import Field
from pydantic import NonNegativeFloat
from pydantic import NonNegativeInt
from pydantic import PositiveFloat
from pydantic import PositiveInt

from schema.models.engine import EngineConfig
from schema.models.strict import StrictModel

Probability = Annotated[float, Field(ge=0, le=1)]
SleepLevel = Annotated[int, Field(ge=0, le=2)]  # a Literal would take True for 1
ImportanceSampling = Literal["token_truncate", "token_mask", "sequence_truncate", "sequence_mask"]


class TrainerConfig(StrictModel):
    """Rollout settings of the learner (ms-swift 4.5.2, arguments/rlhf_args.py RLHFArguments).

    Connectivity, sampling, grouping and batches: every field of role `connect` or `trainer`. Engine knobs
    are no fields here, for in server mode the learner never reads them.
    """

    rlhf_type: Literal["grpo"]
    """The algorithm; only GRPO presets are split."""
    use_vllm: bool = False
    """Whether vLLM generates at all; off, transformers does."""
    vllm_mode: Literal["server", "colocate"] | None = None
    """Where vLLM runs. If None, ms-swift from 3.11.1 on refuses use_vllm."""
    vllm_server_base_url: list[str] | None = None
    """URLs of the servers; beats host and port. If None, host and port count."""
    vllm_server_host: list[str] | None = None
    """Hosts of the servers. If set, the learner connects, whatever vllm_mode says."""
    vllm_server_port: list[int] = [8000]
    """One port for each host."""
    vllm_server_timeout: PositiveFloat = 240.0
    """Seconds that the learner polls `/health/` before it gives up."""
    vllm_server_group_port: list[int] | int | None = None
    """Port of the weight-sync group on the server's host. If None, 51216."""
    vllm_server_pass_dataset: bool = False
    """Whether a sample's further columns are sent with its prompt."""
    async_generate: bool = False
    """Whether to generate with the weights of the step before."""
    enable_flattened_weight_sync: bool = True
    """Whether weights are sent in flat buckets."""
    move_model_batches: PositiveInt | None = None
    """Batches that the weights are sent in. If None, one."""
    temperature: NonNegativeFloat = 0.9
    """Sampling temperature."""
    top_k: int = -1
    """Tokens to sample from; -1 for all."""
    top_p: Probability = 1.0
    """Probability mass to sample from."""
    min_p: Probability = 0.0
    """Least probability relative to the likeliest token."""
    repetition_penalty: PositiveFloat = 1.0
    """Above 1 repetition becomes less likely."""
    stop_words: list[str] = []
    """Texts that end a completion."""
    max_completion_length: PositiveInt = 512
    """Tokens that a completion may have."""
    structured_outputs_regex: str | None = None
    """A regular expression that completions follow. If None, none."""
    num_generations: PositiveInt = 8
    """Completions a prompt: the size of a group."""
    num_generations_eval: PositiveInt | None = None
    """Completions a prompt in evaluation. If None, num_generations."""
    generation_batch_size: PositiveInt | None = None
    """Completions that one rollout makes. If None, follows from steps_per_generation."""
    steps_per_generation: PositiveInt | None = None
    """Micro-batches that one rollout feeds. If None, follows from generation_batch_size."""
    reward_funcs: list[str] = []
    """Names of reward functions, in the order of reward_weights."""
    reward_weights: list[float] | None = None
    """One weight for each reward. If None, 1.0 each."""
    reward_model: list[str] | None = None
    """Reward models, counted after the reward functions. If None, none."""
    dynamic_sample: bool = False
    """Whether groups without reward variance are sampled again."""
    max_resample_times: NonNegativeInt = 3
    """How often at most."""
    wandb_log_unique_prompts: bool | None = None
    """Whether only unique prompts are logged. If None, not."""
    rollout_importance_sampling_mode: ImportanceSampling | None = None
    """How the gap between vLLM's and the learner's probabilities is corrected. If None, not."""
    rollout_importance_sampling_threshold: float = 2.0
    """Bound of that correction."""
    log_rollout_offpolicy_metrics: bool = False
    """Whether the gap between vLLM's and the learner's probabilities is logged."""
    offload_teacher_model: bool = False
    """Whether a teacher model waits in CPU memory."""
    per_device_train_batch_size: PositiveInt = 1
    """Completions of one micro-batch on one learner GPU."""
    per_device_eval_batch_size: PositiveInt = 1
    """The same in evaluation."""
    gradient_accumulation_steps: PositiveInt | None = None
    """Micro-batches of one optimizer step. If None, 1."""
    eval_strategy: str | None = None
    """When to evaluate: no, steps or epoch. If None, as save_strategy says."""
    tuner_type: str = "lora"
    """lora, full, or another tuner of ms-swift."""
    lora_rank: PositiveInt = 8
    """Rank of the adapter."""


class ColocateTrainerConfig(TrainerConfig, EngineConfig):
    """The learner in colocate mode: the engine is its own, so engine knobs and memory juggling count."""

    vllm_tensor_parallel_size: PositiveInt = 1
    """Learner processes that share one engine; divides the number of learners."""
    vllm_max_model_len: PositiveInt | None = None
    """Tokens of prompt and completion together. If None, the model's own length."""
    vllm_enable_prefix_caching: bool | None = True
    """Whether prompts that begin alike share KV cache. If None, vLLM's own default."""
    vllm_data_parallel_size: PositiveInt = 1
    """Accepted, and read by no trainer."""
    vllm_max_lora_rank: PositiveInt = 16
    """Accepted, and read by no trainer: colocate uses lora_rank."""
    sleep_level: SleepLevel = 0
    """How much memory vLLM gives back while the learner trains."""
    offload_model: bool = False
    """Whether the learner's weights move to CPU memory during a rollout."""
    offload_optimizer: bool = False
    """Whether the optimizer's state does."""
    completion_length_limit_scope: Literal["total", "per_round"] = "per_round"
    """Whether max_completion_length bounds a turn or the whole conversation."""
