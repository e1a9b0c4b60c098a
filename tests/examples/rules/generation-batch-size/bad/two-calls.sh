for seed in 1 2; do
  NPROC_PER_NODE=2 swift rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --seed $seed --num_generations 4 \
    --reward_funcs accuracy --use_vllm true --vllm_mode colocate --per_device_train_batch_size 4 \
    --generation_batch_size 12
done
NPROC_PER_NODE=4 swift rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl \
    --reward_funcs accuracy --use_vllm true --vllm_mode colocate --per_device_train_batch_size 4 \
    --generation_batch_size 24
# expect 1: shell-value
# expect 4: generation-batch-size
# expect 8: generation-batch-size
