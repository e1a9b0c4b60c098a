OPTIONS=(
  --rlhf_type grpo
  --num_generatons 8
)
CUDA_VISIBLE_DEVICES=0 swift rollout --model Qwen/Qwen2.5-7B --host 127.0.0.1 --port 8000 --data_parallel_size 1 &
CUDA_VISIBLE_DEVICES=1 swift rlhf "${OPTIONS[@]}" --model Qwen/Qwen2.5-7B --dataset data/train.jsonl \
  --reward_funcs accuracy --use_vllm true --vllm_mode server --vllm_server_host 127.0.0.1 --vllm_server_port 8000 \
  --per_device_train_batch_size 8
# expect 3: unknown-key
# expect 5: unknown-key
