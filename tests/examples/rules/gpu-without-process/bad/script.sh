CUDA_VISIBLE_DEVICES=0,1 \
swift rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl \
  --reward_funcs accuracy --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8
CUDA_VISIBLE_DEVICES=0,1 \
torchrun --nproc-per-node 1 -m swift.cli.rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl \
  --reward_funcs accuracy --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8
# expect 1: gpu-without-process
# expect 5: gpu-without-process
