NPROC_PER_NODE=2 swift rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl \
  --reward_funcs accuracy --use_vllm true --vllm_mode server --vllm_server_host 127.0.0.1 --vllm_server_port 8000 \
  --num_generations 8 --per_device_train_batch_size 4
