CUDA_VISIBLE_DEVICES=0,1 swift rollout --model Qwen/Qwen2.5-7B --vllm_tensor_parallel_size 2 --host 127.0.0.1 --port 8000 &
export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True
CUDA_VISIBLE_DEVICES=1,2 NPROC_PER_NODE=2 VLLM_USE_V1=0 \
swift rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode server --vllm_server_host 127.0.0.1 --vllm_server_port 8000 \
    --num_generations 8 --per_device_train_batch_size 4
# expect 1: shell-environment
# expect 2: shell-environment
# expect 3: shell-environment
