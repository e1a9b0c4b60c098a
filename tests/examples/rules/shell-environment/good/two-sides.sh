export WANDB_PROJECT=grpo
CUDA_VISIBLE_DEVICES=0,1 swift rollout --model Qwen/Qwen2.5-7B --vllm_tensor_parallel_size 2 --host 127.0.0.1 --port 8000 &
sleep 60
CUDA_VISIBLE_DEVICES=2,3 torchrun --nproc_per_node=2 --master-port 29600 -m swift.cli.rlhf \
    --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode server --vllm_server_host 127.0.0.1 --vllm_server_port 8000 \
    --num_generations 8 --per_device_train_batch_size 4
