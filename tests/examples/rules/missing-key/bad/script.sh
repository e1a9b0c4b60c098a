swift rlhf --rlhf_type grpo \
  --reward_funcs accuracy --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8
# expect 1: missing-key, missing-key
