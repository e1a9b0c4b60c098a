if [ "$1" = big ]; then
  MODEL=Qwen/Qwen2.5-72B
else
  MODEL=Qwen/Qwen2.5-7B
fi
swift rlhf --rlhf_type grpo --model $MODEL --dataset data/train.jsonl --reward_funcs accuracy --no_such_option 1 \
    --use_vllm true --vllm_mode server --vllm_server_host 127.0.0.1 --vllm_server_port $PORT --per_device_train_batch_size 8
swift rollout --model $MODEL --vllm_data_parallel_size 6 --host 127.0.0.1 --port $PORT
# expect 1: shell-value, shell-value
# expect 6: unknown-key
# expect 7: shell-value
# expect 8: shell-value
