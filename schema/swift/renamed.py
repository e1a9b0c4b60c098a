"""Old names of arguments, and what ms-swift calls them."""

from __future__ import annotations

#: Names that ms-swift once had, or that vLLM or TRL use.
_SPELLINGS = {
    "tensor_parallel_size": "vllm_tensor_parallel_size",
    "data_parallel_size": "vllm_data_parallel_size",
    "pipeline_parallel_size": "vllm_pipeline_parallel_size",
    "gpu_memory_utilization": "vllm_gpu_memory_utilization",
    "max_model_len": "vllm_max_model_len",
    "max_num_seqs": "vllm_max_num_seqs",
    "enforce_eager": "vllm_enforce_eager",
    "enable_prefix_caching": "vllm_enable_prefix_caching",
    "limit_mm_per_prompt": "vllm_limit_mm_per_prompt",
    "use_async_engine": "vllm_use_async_engine",
    "train_type": "tuner_type",
    "tuner_type": "train_type",
    "max_prompt_length": "max_length",
    "multi_turn_func": "multi_turn_scheduler",
    "swanlab_lark_secret": "swanlab_secret",
    "swanlab_lark_webhook_url": "swanlab_webhook_url",
}
#: Names that some releases take beside the new one: ms-swift 3.10.0, llm/argument/base_args/base_args.py:50, and
#: 4.5.2, arguments/rlhf_args.py:472; transformers 4.57.1, training_args.py:1637, 1731, 1815, 2112, 2131, 2191 and
#: 2205.
DEPRECATED = {
    "lora_modules": "adapters",
    "response_length": "max_completion_length",
    "no_cuda": "use_cpu",
    "fp16_backend": "half_precision_backend",
    "torchdynamo": "torch_compile_backend",
    "push_to_hub_token": "hub_token",
    "push_to_hub_model_id": "hub_model_id",
    "per_gpu_train_batch_size": "per_device_train_batch_size",
    "per_gpu_eval_batch_size": "per_device_eval_batch_size",
}
#: What an old name is called now.
RENAMED = _SPELLINGS | DEPRECATED
#: Those whose values are the same under both names: a multi_turn_func was a function, a scheduler is a class.
EXACT = {old: new for old, new in RENAMED.items() if old != "multi_turn_func"}
