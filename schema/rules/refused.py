"""The rule about arguments that ms-swift refuses for their value, or together with another one."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.rules.base import Problem
from schema.rules.base import rule
from schema.swift import choices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context
    from schema.swift.values import Values

_FLASH = ("flash_attn", "flash_attention_2", "flash_attention_3")
_SEQUENCE_LOSSES = ("real", "fipo")
#: What each method can do, and the line that says so.
_BITS = {"bnb": (57, ("4", "8")), "quanto": (91, ("2", "4", "8", "float8")), "eetq": (95, ("8",))}
_ROPES = ("linear", "dynamic", "yarn")
_FSDP = ("full_shard", "shard_grad_op", "no_shard", "hybrid_shard", "hybrid_shard_zero2", "offload", "auto_wrap")


class Refusal(NamedTuple):
    """What ms-swift refuses.

    Attributes:
        field: the argument to point at.
        proof: the line that raises, of ms-swift 4.5.2 or of transformers 5.12.1.
        why: what is wrong.
        fix: the smallest change that helps.
    """

    field: str
    proof: str
    why: str
    fix: str


@rule("refused-arguments")
def refused_arguments(context: Context) -> Iterator[Problem]:
    """An argument raises for its value, or together with another one; each message names the line that raises.

    Checked are those of GRPO, its rewards and teachers (ms-swift 4.5.2, arguments/rlhf_args.py), of data and
    precision (arguments/sft_args.py, arguments/base_args/), and of the steps at which the learner logs, evaluates
    and saves (transformers 5.12.1, training_args.py:1653 _validate_args).
    """
    values = context.values
    for field, proof, why, fix in chain(*(group(values) for group in _GROUPS)):
        setting = context.preset.arguments.get(field)
        if setting and field in context.wrong:
            continue  # wrong-type reports it
        yield Problem(
            context.at(field),
            f"{setting.path} is {setting.value!r}, but {why}" if setting else f"{field} is not set, but {why}",
            f"{context.swift}: raises (4.5.2: {proof}){context.late}",
            fix,
        )


def _grpo(v: Values) -> Iterator[Refusal]:
    for cached, plain in (("cached_dataset", "dataset"), ("cached_val_dataset", "val_dataset")):
        if v.has(cached):
            yield Refusal(cached, "rlhf_args.py:343", "GRPO reads no cached data", f"use {plain}")
    if len(v.words("loss_type")) > 1:
        yield Refusal("loss_type", "rlhf_args.py:322", "only DPO mixes several losses", "name one loss")
    if v.has("loss_weights") and v.has("loss_type"):
        yield Refusal("loss_weights", "rlhf_args.py:333", "only DPO weights losses", "remove it")
    if v.has("ref_model") and v.adapter and v.number("beta", 0.04) != 0:
        yield Refusal("ref_model", "rlhf_args.py:298", "an adapter's reference is its base model", "remove it")
    if "soft_overlong" in v.words("reward_funcs") and not v.has("soft_cache_length"):
        why = "reward_funcs names soft_overlong, which needs it"
        yield Refusal("soft_cache_length", "rlhf_args.py:363", why, f"set {v.path('soft_cache_length')}")
    if v.on("async_generate") and v.has("multi_turn_scheduler"):
        why = "it cannot be combined with multi_turn_scheduler"
        yield Refusal("async_generate", "rlhf_args.py:568", why, "remove one of the two")


def _teacher(v: Values) -> Iterator[Refusal]:
    if not v.teacher:
        return
    if v.has("teacher_model") and v.has("teacher_model_server"):
        why = "teacher_model is set too"
        yield Refusal("teacher_model_server", "rlhf_args.py:416", why, "remove one of the two")
    why = "with a teacher each token has its own advantage"
    if v.word("loss_type") in _SEQUENCE_LOSSES:
        yield Refusal("loss_type", "rlhf_args.py:685", why, "choose another loss")
    if v.has("off_policy_sequence_mask_delta"):
        yield Refusal("off_policy_sequence_mask_delta", "rlhf_args.py:688", why, "remove it")
    if v.words("reward_funcs"):
        return
    why = "a teacher without reward_funcs gives no rewards to compare"
    if v.on("dynamic_sample"):
        yield Refusal("dynamic_sample", "rlhf_args.py:694", why, "remove it")
    if v.word("scale_rewards") == "gdpo":
        yield Refusal("scale_rewards", "rlhf_args.py:697", why, "remove it")


def _rlsd(v: Values) -> Iterator[Refusal]:
    if v.word("advantage_reweight") != "rlsd":
        return
    if not 0 <= v.number("rlsd_lambda") <= 1:
        yield Refusal("rlsd_lambda", "rlhf_args.py:595", "it must be from 0 to 1", "set it to 0.5")
    if v.number("rlsd_reweight_clip_range") < 0:
        why = "it must not be negative"
        yield Refusal("rlsd_reweight_clip_range", "rlhf_args.py:597", why, "set it to 0.2")
    if not v.words("reward_funcs"):
        yield Refusal("advantage_reweight", "rlhf_args.py:599", "it needs reward_funcs", "name a reward function")
    if v.word("loss_type") in _SEQUENCE_LOSSES and not v.teacher:
        why = "rlsd needs an advantage for each token"
        yield Refusal("loss_type", "rlhf_args.py:605", why, "choose another loss")
    if v.has("off_policy_sequence_mask_delta") and not v.teacher:
        why = "it cannot be combined with rlsd"
        yield Refusal("off_policy_sequence_mask_delta", "rlhf_args.py:608", why, "remove it")
    if v.has("teacher_model_server"):
        why = "rlsd accepts only a local teacher"
        yield Refusal("teacher_model_server", "rlhf_args.py:615", why, "set teacher_model instead")


def _sdar(v: Values) -> Iterator[Refusal]:
    if v.number("sdar_loss_coef") <= 0:
        return
    if v.has("sdar_gate_beta") and v.number("sdar_gate_beta") <= 0:
        yield Refusal("sdar_gate_beta", "rlhf_args.py:648", "it must be above 0", "set it to 5.0")
    if v.word("advantage_reweight") == "rlsd":
        why = "sdar cannot be combined with advantage_reweight rlsd"
        yield Refusal("sdar_loss_coef", "rlhf_args.py:653", why, "remove one of the two")
    elif v.has("teacher_model_server"):
        why = "sdar accepts only a local teacher"
        yield Refusal("teacher_model_server", "rlhf_args.py:657", why, "set teacher_model instead")


def _data(v: Values) -> Iterator[Refusal]:
    flash = (*_FLASH, "flash_attention_4") if v.since("4.2.0") else _FLASH
    if (v.on("packing") or v.on("padding_free")) and v.word("attn_impl") not in flash:
        why = "packing and padding_free need flash attention"
        yield Refusal("attn_impl", "sft_args.py:195", why, f"set {v.path('attn_impl')} to flash_attention_2")
    if v.word("task_type") == "seq_cls" and not v.has("num_labels"):
        yield Refusal("num_labels", "model_meta.py:315", "task_type seq_cls needs it", "remove task_type")
    if v.word("resume_from_checkpoint").lower() in ("true", "false"):
        why = "it is the path of a checkpoint"
        yield Refusal("resume_from_checkpoint", "sft_args.py:200", why, "name the checkpoint, or remove it")
    if v.on("lazy_tokenize") and (v.on("packing") or v.on("streaming")):
        why = "it cannot be combined with packing or streaming"
        yield Refusal("lazy_tokenize", "base_args.py:138", why, "remove it")
    if v.word("dataloader_num_workers") == "0" and v.has("dataloader_prefetch_factor"):
        why = "prefetching needs dataloader_num_workers, which is 0"
        yield Refusal("dataloader_prefetch_factor", "training_args.py:1734", why, "remove it")


def _liger(v: Values) -> Iterator[Refusal]:
    if not v.on("use_liger_kernel"):
        return
    refused = {
        "delta": (549, v.has("delta")),
        "sequence_parallel_size": (551, v.number("sequence_parallel_size") > 1),
        "padding_free": (553, v.on("padding_free")),
        "packing": (553, v.on("packing")),  # it turns padding_free on: sft_args.py:188
        "top_entropy_quantile": (555, v.number("top_entropy_quantile") < 1),
        "log_entropy": (557, v.on("log_entropy")),
        "advantage_estimator": (565, v.word("advantage_estimator") != "grpo"),
        # 3.10.0 to 3.12.6 take the first, and make the second a level that Liger has.
        "off_policy_sequence_mask_delta": (559, v.since("4.0.0") and v.has("off_policy_sequence_mask_delta")),
        "importance_sampling_level": (
            560,
            v.since("4.0.0") and v.word("importance_sampling_level") == "sequence_token",
        ),
        "teacher_model": (414, v.teacher and v.has("teacher_model")),
        "teacher_model_server": (414, v.teacher and v.has("teacher_model_server")),
    }
    for field, (line, raises) in refused.items():
        if raises:
            why = "the Liger loss does not support it, and use_liger_kernel is on"
            yield Refusal(field, f"rlhf_args.py:{line}", why, "remove it, or turn use_liger_kernel off")


def _quantization(v: Values) -> Iterator[Refusal]:
    method, bits = v.word("quant_method"), v.word("quant_bits")
    if method in ("bnb", "hqq", "eetq", "quanto") and not bits:
        yield Refusal("quant_bits", "quant_args.py:50", f"quant_method {method} needs it", "set it to 4 or 8")
    elif method in _BITS and bits not in (able := _BITS[method])[1]:
        why = f"{method} supports only {', '.join(able[1])}"
        yield Refusal("quant_bits", f"quant_args.py:{able[0]}", why, f"set it to {able[1][-1]}")


def _fsdp(v: Values) -> Iterator[Refusal]:
    if not v.has("fsdp"):
        return
    if not v.since("3.12.0"):  # transformers alone reads it (4.57.1)
        if not {*v.word("fsdp").split()} <= {*_FSDP}:
            why = f"it may only contain {', '.join(_FSDP)}"
            yield Refusal("fsdp", "training_args.py:1920", why, "remove it")
    elif v.deepspeed:
        yield Refusal("fsdp", "sft_args.py:294", "DeepSpeed is set, too", "remove one of the two")
    elif v.mapping("fsdp") is None and (v.word("fsdp") != "fsdp2" or not v.since("4.0.0")):
        # fsdp2 names a file that the wheels of 3.12 lack.
        if not v.word("fsdp").endswith(".json"):
            why = "it must be fsdp2, a mapping, or the path of a JSON file"
            yield Refusal("fsdp", "sft_args.py:309", why, "set it to fsdp2")
    elif v.on("save_only_model") and _shards(v.mapping("fsdp") or {}):
        why = "FSDP saves sharded state"
        yield Refusal("save_only_model", "sft_args.py:342", why, "remove it")


def _shards(fsdp: dict[str, object]) -> bool:
    config = fsdp.get("fsdp_config")
    return not isinstance(config, dict) or "SHARDED" in str(config.get("state_dict_type", "SHARDED")).upper()


def _rope(v: Values) -> Iterator[Refusal]:
    if not v.has("rope_scaling"):
        return
    scaling, kind = v.mapping("rope_scaling"), v.word("rope_scaling")
    if scaling is None and kind not in _ROPES:
        why = f"it must be one of {', '.join(_ROPES)}, or a mapping"
        fix = "write it as a mapping with rope_type and factor"
        yield Refusal("rope_scaling", "model_args.py:148", why, fix)
        return
    named = scaling is None or scaling.get("rope_type", scaling.get("type", "default")) != "default"
    if v.since("3.11.3") and named and "factor" not in (scaling or {}) and not v.has("max_model_len"):
        why = "it has no factor, and max_model_len is not set"
        yield Refusal("rope_scaling", "model_args.py:177", why, "add a factor")


def _precision(v: Values) -> Iterator[Refusal]:
    # What is unset follows torch_dtype: arguments/base_args/model_args.py:129 _init_mixed_precision.
    dtype = v.word("torch_dtype")
    half = v.on("fp16") or (dtype in ("float16", "float32") and not v.has("fp16"))
    brain = v.on("bf16") or (dtype == "bfloat16" and not v.has("bf16"))
    if half and brain:
        field, other = ("bf16", "fp16") if v.has("bf16") else ("fp16", "bf16")
        why = f"{other} is on too" if v.has(other) else f"torch_dtype {dtype} turns {other} on"
        yield Refusal(field, "training_args.py:1715", why, f"remove {field}")
    if v.on("fp16_full_eval") and v.on("bf16_full_eval"):
        yield Refusal(
            "fp16_full_eval", "training_args.py:1718", "bf16_full_eval is on too", "remove one of the two"
        )


def _steps(v: Values) -> Iterator[Refusal]:
    logs = v.word("logging_strategy")
    if logs == "steps" and v.has("logging_steps") and not v.number("logging_steps"):
        yield Refusal("logging_steps", "training_args.py:1663", "it must not be 0", "set it to 1 or more")
    evaluates = v.eval_strategy
    strategies = {"logging": logs, "eval": evaluates, "save": v.word("save_strategy")}
    for name, strategy in strategies.items():
        number = v.number(f"{name}_steps")
        if strategy == "steps" and number > 1 and number % 1:
            why = "above 1 it must be a whole number"
            yield Refusal(f"{name}_steps", "training_args.py:1667", why, "round it")
    every = v.word("eval_steps", v.word("save_steps")) if evaluates == "steps" else ""
    if every == "0" and v.number("logging_steps") < 0:
        why = "eval_steps is 0, and evaluation then follows it"
        yield Refusal("logging_steps", "training_args.py:1520", why, "set eval_steps")
    if v.number("torch_empty_cache_steps", 1) < 1:
        yield Refusal("torch_empty_cache_steps", "training_args.py:1657", "it must be positive", "remove it")


def _evaluation(v: Values) -> Iterator[Refusal]:
    evaluates = v.eval_strategy
    if evaluates not in choices.EVALUATIONS:
        field = "eval_strategy" if v.has("eval_strategy") else "save_strategy"
        why = "evaluation follows it, and accepts only no, steps and epoch"
        yield Refusal(field, "training_args.py:1498", why, f"set {v.path('eval_strategy')} to steps")
    if evaluates == "no" and v.word("lr_scheduler_type") in ("reduce_lr_on_plateau", "greedy"):
        why = "it depends on evaluations, and there are none"
        yield Refusal("lr_scheduler_type", "training_args.py:1722", why, "choose another schedule")
    schedules = choices.taken(v.since, choices.SCHEDULES)
    if (schedule := v.words("lr_scheduler_type")) and schedule[0] not in schedules:
        why = f"it must be one of {', '.join(schedules)}"
        yield Refusal("lr_scheduler_type", "training_args.py:1502", why, "set it to cosine")


def _best(v: Values) -> Iterator[Refusal]:
    saves = v.word("save_strategy")
    if not v.on("load_best_model_at_end") or saves == "best":
        return
    save = v.number("save_steps")
    evaluate = v.number("eval_steps", save)
    if saves != v.eval_strategy:
        why = f"save_strategy is {saves}, and eval_strategy {v.eval_strategy}"
        yield Refusal("load_best_model_at_end", "training_args.py:1681", why, "set both to the same")
    elif saves == "steps" and evaluate > 0 and not _whole(save, evaluate):
        why = f"save_steps {save:g} is not a multiple of eval_steps {evaluate:g}"
        yield Refusal("load_best_model_at_end", "training_args.py:1702", why, "set save_steps to a multiple of it")


def _whole(save: float, evaluate: float) -> bool:
    # Shares of all steps are compared in millionths.
    unit = 1_000_000 if save < 1 and evaluate < 1 else 1
    return not save % evaluate or not (save * unit) % (evaluate * unit)


def _warmup(v: Values) -> Iterator[Refusal]:
    ratio, steps = v.number("warmup_ratio"), v.number("warmup_steps")
    why = "it must be a share of all steps, from 0 to below 1"
    whole = "set warmup_steps for a number of steps" if v.counts_warmup_steps else "set it to a share below 1"
    if v.since("4.5.0") and ratio >= 1:
        yield Refusal("warmup_ratio", "trainers/arguments.py:233", why, whole)
    elif ratio < 0 or (ratio > 1 and not v.since("4.0.0")):
        yield Refusal("warmup_ratio", "training_args.py:1731", why, whole)
    elif v.since("4.5.0") and ratio and steps:
        why = "warmup_steps is set too"
        fix = "remove one of the two" if v.counts_warmup_steps else "remove warmup_steps"
        yield Refusal("warmup_ratio", "trainers/arguments.py:229", why, fix)
    elif steps < 0 and v.counts_warmup_steps:
        yield Refusal("warmup_steps", "training_args.py:1731", "it must not be negative", "remove it")


_GROUPS = (
    *(_grpo, _teacher, _rlsd, _sdar, _data, _liger, _quantization, _fsdp, _rope),
    *(_precision, _steps, _evaluation, _best, _warmup),
)
