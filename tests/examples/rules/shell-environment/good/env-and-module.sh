env CUDA_VISIBLE_DEVICES=0 python -m swift.cli.rollout --model Qwen/Qwen2.5-7B --host 127.0.0.1 --port 8000 > server.log 2>&1 &
until curl -sf http://127.0.0.1:8000/health/; do sleep 5; done
NPROC_PER_NODE=2 CUDA_VISIBLE_DEVICES=1,2 exec python -u /opt/swift/swift/cli/main.py rlhf \
    --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode server --vllm_server_host 127.0.0.1 --vllm_server_port 8000 \
    --num_generations 8 --per_device_train_batch_size 4
