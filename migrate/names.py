"""Names of engine settings that a migration decides on one by one."""

from schema.swift.roles import Role
from schema.swift.roles import fields

TENSOR, DATA = "vllm_tensor_parallel_size", "vllm_data_parallel_size"
LENGTH, SHARE, LORA = "vllm_max_model_len", "vllm_gpu_memory_utilization", "vllm_enable_lora"
RANK, URL = "vllm_max_lora_rank", "vllm_server_base_url"
#: Why each gets what the caller gives.
GIVEN = {DATA: "rollout GPUs / TP of this call"}
#: Fitted to the GPUs of one mode; of no use in the other.
FITTED = (DATA, SHARE)
#: What a server cannot do without, and what it gets besides when a preset leaves colocate mode.
REQUIRED = (TENSOR, DATA, LENGTH)
COMPLETE = (*REQUIRED, SHARE, LORA)
#: Engine settings that the server does not get.
DROPPED = {
    RANK: "the rollout server loads no adapters",
    "vllm_pipeline_parallel_size": "`swift rollout` has no pipeline parallelism",
}
#: The order of settings that come to a side: size and memory first, adapters last.
_FIRST = (TENSOR, DATA, LENGTH, SHARE)
ORDER = (*_FIRST, *(name for name in fields(Role.SERVER) if name not in (*_FIRST, LORA)), LORA)
