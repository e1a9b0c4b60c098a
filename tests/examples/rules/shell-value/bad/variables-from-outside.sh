export WANDB_API_KEY=$(cat ~/.wandb)
for lr in 1e-6 5e-6; do
  CUDA_VISIBLE_DEVICES=$GPUS NPROC_PER_NODE=$(nvidia-smi -L | wc -l) swift rlhf --rlhf_type grpo \
    --model Qwen/Qwen2.5-7B --dataset data/*.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode colocate --num_generations $N --learning_rate $lr $EXTRA
done
# expect 2: shell-value
# expect 3: shell-value, shell-value
# expect 4: shell-value
# expect 5: shell-value, shell-value
