"""The rule about defects that ms-swift had in some releases, and fixed in a later one.

docs/upstream-fixes.md lists every fix of the trainer, the arguments and the rollout server since 3.10.0, and why
it is a row here or not.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from schema.findings import Severity
from schema.rules.base import rule
from schema.rules.defect import Arguments
from schema.rules.defect import Defect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.rules.base import Problem


_HF = "trainers/rlhf_trainer"
DEFECTS = {
    "reward-model": Defect(
        "3.10.0",
        "3.10.1",
        "reward_model",
        lambda v: v.has("reward_model"),
        "TypeError: Trainer.__init__() got an unexpected keyword argument 'reward_template'",
        "",
        f"{_HF}/grpo_trainer.py:82",
        Severity.ERROR,
    ),
    "liger": Defect(
        "3.10.0",
        "3.10.2",
        "use_liger_kernel",
        lambda v: v.on("use_liger_kernel"),
        "AttributeError: module 'liger_kernel' has no attribute '__version__'",
        "remove it",
        "llm/argument/rlhf_args.py:350",
        Severity.ERROR,
    ),
    "chord": Defect(
        "3.10.0",
        "3.10.2",
        "chord_sft_dataset",
        lambda v: v.has("chord_sft_dataset"),
        "AttributeError: 'GRPOTrainer' object has no attribute 'accelerator'",
        "remove it",
        f"{_HF}/grpo_trainer.py:1874",
        Severity.ERROR,
    ),
    "no-vllm": Defect(
        "3.10.2",
        "3.10.3",
        "use_vllm",
        lambda v: not v.on("use_vllm"),
        "AttributeError: 'GRPOTrainer' object has no attribute 'use_fast_infer'",
        "set use_vllm to true",
        f"{_HF}/rollout_mixin.py:116",
        Severity.ERROR,
    ),
    "turns-in-colocate": Defect(
        "3.10.0",
        "3.10.3",
        "multi_turn_scheduler",
        lambda v: v.colocate and v.has("multi_turn_scheduler") and v.number("max_turns") != 1,
        "TypeError: argument of type 'RolloutInferRequest' is not iterable, at the second turn",
        "use server mode",
        f"{_HF}/rollout_mixin.py:993",
        Severity.ERROR,
    ),
    "sequence-parallel-padding-free": Defect(
        "3.10.0",
        "3.11.0",
        "padding_free",
        lambda v: v.number("sequence_parallel_size") > 1 and v.on("padding_free"),
        "cuts the completions' log-probabilities off a padded end, so that they may belong to other tokens",
        "set padding_free to false",
        f"{_HF}/grpo_trainer.py:1295",
    ),
    "sequence-parallel-inference": Defect(
        "3.10.0",
        "3.11.0",
        "sequence_parallel_size",
        lambda v: v.number("sequence_parallel_size") > 1 and (v.has("reward_model") or not v.on("use_vllm")),
        "the reward model, or generation without vLLM, gets the learner's sequence parallelism, too",
        "set sequence_parallel_size to 1",
        f"{_HF}/grpo_trainer.py:330",
    ),
    "chord-phi": Defect(
        "3.10.0",
        "3.11.0",
        "chord_enable_phi_function",
        lambda v: v.on("chord_enable_phi_function") and v.has("chord_sft_dataset"),
        "the gradient flows through the weights of phi, too, because nothing stops it",
        "set it to false",
        f"{_HF}/utils.py:986",
    ),
    "sleep-level-2": Defect(
        "3.10.0",
        "3.11.1",
        "sleep_level",
        lambda v: (
            v.colocate
            and v.number("sleep_level") == 2
            and (v.adapter_in_vllm or v.on("dynamic_sample") or v.eval_strategy != "no")
        ),
        "vLLM drops its weights after each rollout, and gets new ones once per step: a second rollout in a step"
        " (evaluation, dynamic_sample), or every rollout with vllm_enable_lora, is gibberish",
        "set sleep_level to 1",
        f"{_HF}/rollout_mixin.py:729",
        Severity.ERROR,
    ),
    "reward-model-end": Defect(
        "3.11.0",
        "3.11.2",
        "reward_model",
        lambda v: v.has("reward_model"),
        "the reward model reads completions without their end-of-sequence token, and scores them differently",
        "",
        f"{_HF}/grpo_trainer.py:339",
    ),
    "rollout-kl": Defect(
        "3.11.0",
        "3.11.3",
        "rollout_importance_sampling_mode",
        lambda v: v.has("rollout_importance_sampling_mode") or v.on("log_rollout_offpolicy_metrics"),
        "logs rollout_correction/kl with the wrong sign",
        "",
        f"{_HF}/grpo_trainer.py:2316",
    ),
    "sapo": Defect(
        "3.11.0",
        "3.12.3",
        "loss_type",
        lambda v: v.words("loss_type") == ["sapo"],
        "leaves the factor 4 / tau out of SAPO's gates, so that its gradients are a quarter of the paper's",
        "",
        f"{_HF}/grpo_trainer.py:1188",
    ),
    "offload-zero3": Defect(
        "3.10.0",
        "3.12.3",
        "offload_model",
        lambda v: v.colocate and v.zero3 and (v.on("offload_model") or v.on("offload_optimizer")),
        "offloads nothing: the partitions of ZeRO-3 stay on the GPU",
        "lower vllm_gpu_memory_utilization, or use zero2",
        f"{_HF}/rollout_mixin.py:1178",
    ),
    "move-batches-zero3": Defect(
        "3.12.0",
        "3.12.6",
        "move_model_batches",
        lambda v: v.zero3 and v.has("move_model_batches"),
        "gathers the whole model on each GPU at each weight sync, whatever move_model_batches says",
        "use zero2",
        f"{_HF}/rollout_mixin.py:660",
    ),
    "same-seed": Defect(
        "3.10.0",
        "3.12.3",
        "vllm_data_parallel_size",
        lambda v: v.split_groups,
        "all engines sample with the same seed, and completions of a prompt are spread over them: some are equal",
        "use no more engines than one rollout has groups",
        "llm/infer/rollout.py:248",
    ),
    "adapter-twice": Defect(
        "3.10.0",
        "4.0.2",
        "vllm_enable_lora",
        lambda v: (
            v.adapter_in_vllm and (v.has("resume_from_checkpoint") or (v.since("3.12.0") and v.has("adapters")))
        ),
        "merges the loaded adapter into vLLM's weights, and adds it once more as an adapter",
        "set vllm_enable_lora to false",
        "rlhf_trainers/rollout_mixin.py:655",
        Severity.ERROR,
    ),
    "columns-to-generate": Defect(
        "4.0.4",
        "4.1.3",
        "use_vllm",
        lambda v: not v.on("use_vllm"),
        "ValueError: The following `model_kwargs` are not used by the model: ['prompt_id', 'request_id', ...]",
        "set use_vllm to true",
        "rlhf_trainers/grpo_trainer.py:136",
        Severity.ERROR,
    ),
    "every-other-step": Defect(
        "4.0.0",
        "4.2.0",
        "generation_batch_size",
        lambda v: v.micro_steps % 2 == 0,
        "counts each micro-step twice with the trl that it requires (0.28, 0.29): it learns from half of the"
        " completions, and rolls out twice as often",
        "give each rollout an odd number of micro-steps",
        "rlhf_trainers/grpo_trainer.py:209",
    ),
    "best-by-loss": Defect(
        "3.10.0",
        "4.2.1",
        "load_best_model_at_end",
        lambda v: (
            v.eval_strategy != "no"
            and not v.has("metric_for_best_model")
            and (v.on("load_best_model_at_end") or v.word("save_strategy") == "best")
        ),
        "chooses the checkpoint with the lowest loss as the best one, not the one with the highest reward",
        "set metric_for_best_model to reward",
        "arguments/rlhf_args.py:425",
    ),
    "encoder-cache": Defect(
        "4.0.2",
        "4.2.1",
        "freeze_vit",
        lambda v: v.off("freeze_vit") and v.sees is not False,
        "vLLM caches the ViT's output for a picture, although the ViT is trained",
        "set freeze_vit to true",
        "rlhf_trainers/rollout_mixin.py:456",
    ),
    "liger-pictures": Defect(
        "3.10.0",
        "4.2.2",
        "use_liger_kernel",
        lambda v: v.on("use_liger_kernel") and v.kind in ("qwen2_vl", "qwen2_5_vl"),
        "KeyError: 'input_ids' at the first step: the encoder of pictures is called without inputs",
        "remove it",
        "rlhf_trainers/grpo_trainer.py:1004",
        Severity.ERROR,
    ),
    "evalscope": Defect(
        "3.10.0",
        "4.2.3",
        "eval_use_evalscope",
        lambda v: (
            v.on("eval_use_evalscope")
            and v.eval_strategy != "no"
            and not v.has("val_dataset")
            and v.number("split_dataset_ratio") == 0
        ),
        "AssertionError: eval_dataset size 0 is smaller than total_eval_batch_size",
        "set val_dataset, too",
        "rlhf_trainers/grpo_trainer.py:118",
        Severity.ERROR,
    ),
    "target-parameters": Defect(
        "3.10.0",
        "4.3.0",
        "target_parameters",
        lambda v: v.adapter and not v.adapter_in_vllm and v.on("use_vllm") and v.has("target_parameters"),
        "AttributeError at the first weight sync: merging reads a `weight` that experts do not have",
        "remove it",
        "rlhf_trainers/utils.py:543",
        Severity.ERROR,
    ),
    "no-thinking": Defect(
        "3.12.0",
        "4.3.0",
        "enable_thinking",
        lambda v: v.off("enable_thinking") and v.on("use_vllm"),
        "learns from completions without the empty thinking block that ended their prompts, if the template has"
        " one (Qwen3, ...)",
        "",
        "rlhf_trainers/utils.py:730",
    ),
    "teacher-tag": Defect(
        "4.4.0",
        "4.4.1",
        "teacher_tag_key",
        lambda v: v.teacher and v.word("teacher_tag_key") != "dataset",
        "ignores it: the column `dataset` decides which teacher gets a sample",
        "rename the column to dataset",
        "rlhf_trainers/grpo_trainer.py:597",
        Severity.ERROR,
    ),
    "fsdp-adapter": Defect(
        "3.12.0",
        "4.5.0",
        "vllm_enable_lora",
        lambda v: v.adapter_in_vllm and "offload" in str((v.mapping("fsdp") or {}).get("fsdp")),
        "gathers over NCCL the adapter that FSDP keeps in CPU memory, which fails at the first weight sync",
        "set vllm_enable_lora to false",
        "rlhf_trainers/rollout_mixin.py:688",
        Severity.ERROR,
    ),
    "fsdp-offload": Defect(
        "3.12.0",
        "4.5.0",
        "fsdp",
        lambda v: v.colocate and v.has("fsdp") and (v.on("offload_model") or v.on("offload_optimizer")),
        "loads the whole model onto each GPU while vLLM starts, before FSDP shards it",
        "set offload_model and offload_optimizer to false",
        "rlhf_trainers/rollout_mixin.py:433",
    ),
    "checkpointing-anyway": Defect(
        "4.1.1",
        "4.5.3",
        "gradient_checkpointing",
        lambda v: (
            v.off("gradient_checkpointing")
            and v.off("freeze_vit")
            and v.value("vit_gradient_checkpointing") is None
            and v.sees is not False
        ),
        "a ViT that is trained gets vit_gradient_checkpointing, and the first log-probabilities turn checkpointing"
        " on for the language model, too: steps are as slow, and need as little memory, as with it",
        "set vit_gradient_checkpointing to false",
        "arguments/sft_args.py:212",
    ),
    "persistent-workers": Defect(
        "3.10.0",
        "4.6.0",
        "dataloader_num_workers",
        lambda v: v.number("dataloader_num_workers", 1) == 0 and v.on("dataloader_persistent_workers"),
        "ValueError: persistent_workers option needs num_workers > 0, before the first step",
        "set dataloader_persistent_workers to false",
        "trainers/arguments.py:151",
        Severity.ERROR,
    ),
}


@rule(
    "release-defect",
    severity=Severity.WARNING,
    needs=(
        *("generation_batch_size", "steps_per_generation", "per_device_train_batch_size", "num_generations"),
        *("use_vllm", "vllm_data_parallel_size"),
    ),
)
def release_defect(context: Context) -> Iterator[Problem]:
    """A preset triggers a defect of the target release, which a later release fixes.

    It is an error if the defect ends the run or lets it learn from wrong data. docs/defects.md lists the defects,
    each with its line in the last release that has it; first and last release were found in the wheels themselves.
    """
    values = Arguments(context)
    for defect in _of_release(context.release.version):
        if defect.when(values):
            yield defect.problem(context, values)


@cache
def _of_release(version: str) -> list[Defect]:
    return [each for each in DEFECTS.values() if each.is_in(version)]
