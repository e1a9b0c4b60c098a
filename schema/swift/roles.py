"""The role table: who acts on each ms-swift field that rollouts touch.

ms-swift's dataclasses do not tell: every engine setting is a field of RLHFArguments and of RolloutArguments.
So each row names the line of ms-swift 4.5.2 (path below `swift/`) that proves its role.
"""

from __future__ import annotations

from enum import Enum
from functools import cache
from typing import NamedTuple


class Role(Enum):
    """Which process acts on a field when vllm_mode is server."""

    CONNECT = "connect"
    """Tells the learner where the rollout server is."""
    SERVER = "server"
    """Only the rollout server acts on it."""
    TRAINER = "trainer"
    """Only the learner acts on it."""
    BOTH = "both"
    """Each side acts on its own value, so both must get the same one."""
    COLOCATE = "colocate"
    """Acts only when vLLM shares the learner's GPUs."""
    LISTEN = "listen"
    """Where the server listens: derived from the connect fields, never set by hand."""
    GUARD = "guard"
    """Keeps strangers away from the server; no field of the learner."""
    REFUSED = "refused"
    """Setting it raises."""
    DEAD = "dead"
    """Accepted, and never read by GRPO."""


#: Where a field of each role does not belong.
WRONG_PLACES = {
    Role.CONNECT: "in colocate mode",
    Role.SERVER: "among the learner's arguments",
    Role.TRAINER: "among the arguments of `swift rollout`",
    Role.BOTH: "on one side alone",
    Role.COLOCATE: "in server mode",
    Role.LISTEN: "among the learner's arguments",
    Role.GUARD: "among the learner's arguments",
    Role.REFUSED: "anywhere",
    Role.DEAD: "anywhere",
}


class Misplaced(Enum):
    """What ms-swift does with a value in the wrong place; an argument that a side does not have raises there."""

    IGNORED = "is silently ignored"
    WARNED = "is ignored with a warning"
    REFUSED = "raises ValueError"
    DECIDES = "decides that it is colocate mode"
    ALONE = "acts there, and the other side uses its default"
    CONNECTS = "makes the learner connect to a server whatever vllm_mode says"
    RESET = "is silently reset to 0"


class Row(NamedTuple):
    """One field.

    Attributes:
        field: its name in ms-swift.
        role: who acts on it.
        proof: the line of ms-swift 4.5.2 that shows it.
        misplaced: what happens to a value in the wrong place.
        note: what an operator should know beyond that.
    """

    field: str
    role: Role
    proof: str
    misplaced: Misplaced = Misplaced.IGNORED
    note: str = ""


#: The rows of each role and of each fate of a value in the wrong place: field, proof, and a note if there is one.
_TABLE: dict[tuple[Role, Misplaced], tuple[tuple[str, ...], ...]] = {
    (Role.CONNECT, Misplaced.CONNECTS): (
        (
            "vllm_server_base_url",
            "arguments/rlhf_args.py:499",
            "overrides host and port; a trailing slash is kept",
        ),
        ("vllm_server_host", "arguments/rlhf_args.py:498", "the learner connects in __post_init__"),
    ),
    (Role.CONNECT, Misplaced.DECIDES): (
        ("use_vllm", "arguments/rlhf_args.py:443"),
        ("vllm_mode", "arguments/rlhf_args.py:443"),
    ),
    (Role.CONNECT, Misplaced.IGNORED): (
        ("vllm_server_port", "arguments/rlhf_args.py:507", "one port for each host"),
        ("vllm_server_timeout", "arguments/rlhf_args.py:509", "seconds of polling /health/, nothing else"),
        ("vllm_server_group_port", "arguments/rlhf_args.py:508", "unset: 51216 and up"),
    ),
    (Role.SERVER, Misplaced.IGNORED): (
        ("vllm_tensor_parallel_size", "rlhf_trainers/args_mixin.py:72"),
        ("vllm_data_parallel_size", "pipelines/infer/rollout.py:749", "read by no trainer, in no mode"),
        ("vllm_pipeline_parallel_size", "arguments/deploy_args.py:132", "above 1 the server refuses to start"),
        ("vllm_gpu_memory_utilization", "rlhf_trainers/args_mixin.py:71"),
        ("vllm_max_num_seqs", "rlhf_trainers/args_mixin.py:75"),
        ("vllm_enable_prefix_caching", "rlhf_trainers/args_mixin.py:83"),
        ("vllm_enforce_eager", "rlhf_trainers/args_mixin.py:78"),
        ("vllm_limit_mm_per_prompt", "rlhf_trainers/args_mixin.py:79"),
        ("vllm_mm_processor_cache_gb", "rlhf_trainers/args_mixin.py:88"),
        ("vllm_disable_cascade_attn", "rlhf_trainers/args_mixin.py:87"),
        ("vllm_disable_custom_all_reduce", "rlhf_trainers/args_mixin.py:77"),
        ("vllm_enable_expert_parallel", "arguments/deploy_args.py:164", "switches the server to the async engine"),
        ("vllm_enable_lora", "pipelines/infer/rollout.py:812", "the learner asks the server for its value"),
        ("vllm_max_lora_rank", "pipelines/infer/rollout.py:805"),
        ("vllm_quantization", "rlhf_trainers/args_mixin.py:85"),
        ("vllm_speculative_config", "rlhf_trainers/args_mixin.py:89"),
        ("vllm_engine_kwargs", "rlhf_trainers/args_mixin.py:91"),
        ("vllm_use_async_engine", "pipelines/infer/rollout.py:748", "the learner asks the server for its value"),
    ),
    (Role.SERVER, Misplaced.WARNED): (
        ("vllm_max_model_len", "arguments/rlhf_args.py:703", "the only field that ms-swift warns about"),
    ),
    (Role.TRAINER, Misplaced.IGNORED): (
        ("temperature", "rlhf_trainers/rollout_mixin.py:359", "sent with every request"),
        ("top_k", "rlhf_trainers/rollout_mixin.py:361", "sent with every request"),
        ("top_p", "rlhf_trainers/rollout_mixin.py:360", "sent with every request"),
        ("repetition_penalty", "rlhf_trainers/rollout_mixin.py:363", "sent with every request"),
        ("stop_words", "rlhf_trainers/rollout_mixin.py:364", "sent with every request"),
        ("structured_outputs_regex", "rlhf_trainers/rollout_mixin.py:367", "sent with every request"),
        ("tuner_type", "rlhf_trainers/rollout_mixin.py:652"),
    ),
    (Role.TRAINER, Misplaced.REFUSED): (
        ("rlhf_type", "arguments/rlhf_args.py:340"),
        ("min_p", "rlhf_trainers/rollout_mixin.py:362", "sent with every request"),
        ("max_completion_length", "rlhf_trainers/rollout_mixin.py:358", "sent with every request"),
        ("num_generations", "rlhf_trainers/args_mixin.py:201"),
        ("num_generations_eval", "rlhf_trainers/args_mixin.py:233"),
        ("generation_batch_size", "rlhf_trainers/args_mixin.py:205"),
        ("steps_per_generation", "rlhf_trainers/args_mixin.py:205"),
        ("reward_funcs", "arguments/rlhf_args.py:362"),
        ("reward_weights", "rlhf_trainers/grpo_trainer.py:2250"),
        ("reward_model", "rlhf_trainers/grpo_trainer.py:127"),
        ("dynamic_sample", "arguments/rlhf_args.py:693"),
        ("max_resample_times", "rlhf_trainers/grpo_trainer.py:666"),
        ("async_generate", "arguments/rlhf_args.py:454", "server mode only"),
        ("enable_flattened_weight_sync", "rlhf_trainers/rollout_mixin.py:713"),
        ("move_model_batches", "rlhf_trainers/rollout_mixin.py:564", "acts in both modes"),
        ("vllm_server_pass_dataset", "rlhf_trainers/rollout_mixin.py:1606", "acts in both modes"),
        ("wandb_log_unique_prompts", "rlhf_trainers/grpo_trainer.py:1909"),
        ("rollout_importance_sampling_mode", "rlhf_trainers/rollout_mixin.py:405"),
        ("rollout_importance_sampling_threshold", "rlhf_trainers/grpo_trainer.py:2155"),
        ("log_rollout_offpolicy_metrics", "rlhf_trainers/grpo_trainer.py:999"),
        ("offload_teacher_model", "rlhf_trainers/rollout_mixin.py:250"),
        ("per_device_train_batch_size", "rlhf_trainers/args_mixin.py:203"),
        ("per_device_eval_batch_size", "rlhf_trainers/args_mixin.py:234"),
        ("gradient_accumulation_steps", "rlhf_trainers/args_mixin.py:206"),
        ("eval_strategy", "rlhf_trainers/args_mixin.py:232"),
        ("lora_rank", "rlhf_trainers/rollout_mixin.py:478"),
    ),
    (Role.BOTH, Misplaced.ALONE): (
        ("model", "pipelines/infer/rollout.py:799", "no endpoint reports it, so nothing checks that they agree"),
        ("model_type", "pipelines/infer/rollout.py:800"),
        ("model_revision", "pipelines/infer/rollout.py:801"),
        ("torch_dtype", "pipelines/infer/rollout.py:802"),
        ("local_repo_path", "arguments/base_args/model_args.py:236"),
        (
            "new_special_tokens",
            "arguments/base_args/model_args.py:242",
            "they change the vocabulary, and so the weights that are sent",
        ),
        ("rope_scaling", "arguments/base_args/model_args.py:243", "the engine gets it from 4.5.0 on"),
        ("max_model_len", "arguments/base_args/model_args.py:244", "of the model's own configuration"),
        ("model_kwargs", "arguments/base_args/base_args.py:207"),
        ("use_hf", "arguments/base_args/model_args.py:234"),
        ("hub_token", "arguments/base_args/model_args.py:235"),
        ("template", "arguments/base_args/template_args.py:185"),
        ("system", "arguments/base_args/template_args.py:186"),
        ("max_length", "arguments/base_args/template_args.py:187", "of the prompt alone"),
        (
            "truncation_strategy",
            "arguments/base_args/template_args.py:182",
            "the server raises where it says delete",
        ),
        ("max_pixels", "arguments/base_args/template_args.py:189"),
        ("agent_template", "arguments/base_args/template_args.py:190"),
        ("norm_bbox", "arguments/base_args/template_args.py:191"),
        ("use_chat_template", "arguments/base_args/template_args.py:192"),
        ("template_backend", "arguments/base_args/template_args.py:201"),
        ("response_prefix", "arguments/base_args/template_args.py:203"),
        ("enable_thinking", "arguments/base_args/template_args.py:204"),
        ("preserve_thinking", "arguments/base_args/template_args.py:205"),
        ("add_non_thinking_prefix", "arguments/base_args/template_args.py:206"),
        ("seed", "pipelines/base.py:27"),
        ("external_plugins", "arguments/base_args/base_args.py:153"),
        ("custom_register_path", "arguments/base_args/base_args.py:149"),
        (
            "multi_turn_scheduler",
            "pipelines/infer/rollout.py:572",
            "overrides the learner's if the server has one",
        ),
        ("max_turns", "pipelines/infer/rollout.py:587"),
        (
            "use_gym_env",
            "rlhf_trainers/rollout_mixin.py:420",
            "if it is unset on the learner, the server's counts",
        ),
        ("gym_env", "pipelines/infer/rollout.py:584"),
    ),
    (Role.COLOCATE, Misplaced.IGNORED): (
        ("offload_model", "rlhf_trainers/rollout_mixin.py:442"),
        ("offload_optimizer", "rlhf_trainers/rollout_mixin.py:442"),
        ("completion_length_limit_scope", "rlhf_trainers/rollout_mixin.py:349"),
    ),
    (Role.COLOCATE, Misplaced.RESET): (
        ("sleep_level", "arguments/rlhf_args.py:347", "not reset before 3.11.1: remove it by hand"),
    ),
    (Role.LISTEN, Misplaced.REFUSED): (
        ("host", "pipelines/infer/rollout.py:1075"),
        ("port", "arguments/deploy_args.py:57", "if it is taken, ms-swift silently moves to the next free one"),
    ),
    (Role.GUARD, Misplaced.REFUSED): (
        ("api_key", "arguments/deploy_args.py:39", "read from 4.6.0 on; launchers put it on no command line"),
    ),
    (Role.REFUSED, Misplaced.REFUSED): (
        ("vllm_reasoning_parser", "arguments/deploy_args.py:136 and rlhf_trainers/arguments.py:108"),
        ("context_manager", "arguments/deploy_args.py:170", "before 4.3.0 the server's own, and accepted"),
    ),
    (Role.DEAD, Misplaced.IGNORED): (
        ("local_rollout_forward_batch_size", "arguments/rlhf_args.py:123", "of PPO"),
    ),
}

#: Engine settings that the learner does not read in colocate mode either: its engine is made without them
#: (4.5.2, rlhf_trainers/rollout_mixin.py:505-531; quantization follows the model's own).
UNREAD_IN_COLOCATE = (
    "vllm_data_parallel_size",
    "vllm_pipeline_parallel_size",
    "vllm_enable_expert_parallel",
    "vllm_disable_custom_all_reduce",
    "vllm_max_lora_rank",
    "vllm_quantization",
    "vllm_speculative_config",
    "vllm_use_async_engine",
)

#: Each side has its own: plugins may be for one side only, and weights are cast when they are sent.
OWN = ("torch_dtype", "seed", "hub_token", "external_plugins", "custom_register_path")
#: If they are unset on one side, they follow the other side's at run time, or act only there.
FOLLOWS = (*OWN, "multi_turn_scheduler", "max_turns", "use_gym_env", "gym_env")

#: One row per field, by name.
ROLES: dict[str, Row] = {
    field: Row(field, role, proof, misplaced, *note)
    for (role, misplaced), rows in _TABLE.items()
    for field, proof, *note in rows
}


@cache
def fields(role: Role) -> tuple[str, ...]:
    """The names of all fields with a role, in the table's order."""
    return tuple(row.field for row in ROLES.values() if row.role is role)


def role_of(field: str) -> Role | None:
    """The role of a field, or None for one that rollouts do not touch."""
    row = ROLES.get(field)
    return row.role if row else None
