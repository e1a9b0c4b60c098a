#!/usr/bin/env bash
export PATH=$HOME/bin:$PATH
export WANDB_API_KEY=$(cat ~/.wandb)
MODEL=${MODEL:-Qwen/Qwen2.5-7B}
NAME="grpo-${MODEL}"
N=${N:-8}
swift rlhf --rlhf_type grpo --model $MODEL --dataset data/train.jsonl --reward_funcs accuracy --run_name "$NAME" \
    --use_vllm true --vllm_mode colocate --num_generations ${N} --per_device_train_batch_size ${1:-8}
