"""Names of engine settings that a migration decides on one by one."""

TENSOR, DATA = "vllm_tensor_parallel_size", "vllm_data_parallel_size"
LENGTH, SHARE, LORA = "vllm_max_model_len", "vllm_gpu_memory_utilization", "vllm_enable_lora"
RANK = "vllm_max_lora_rank"
#: Why each gets what the caller gives.
GIVEN = {DATA: "rollout GPUs / TP of this call"}
#: Fitted to the GPUs of one mode; of no use in the other.
FITTED = (DATA, SHARE)
