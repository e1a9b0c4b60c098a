COMMON="--rlhf_type grpo --model Qwen/Qwen2.5-7B \
  --dataset data/train.jsonl --reward_funcs accuracy"
VLLM="--use_vllm true --vllm_mode colocate"
VLLM="$VLLM --vllm_gpu_memory_utilization 0.5"
swift rlhf $COMMON $VLLM --num_generations 8 --per_device_train_batch_size 8
