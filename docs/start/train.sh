#!/bin/bash
MODEL=Qwen/Qwen2.5-7B-Instruct

NPROC_PER_NODE=8 \
swift rlhf \
    --rlhf_type grpo \
    --model $MODEL \
    --dataset 'AI-MO/NuminaMath-TIR#1000' \
    --reward_funcs accuracy format \
    --tuner_type lora \
    --use_vllm true \
    --vllm_mode colocate \
    --vllm_gpu_memory_utilization 0.5 \
    --vllm_max_model_len 8192 \
    --max_completion_length 2048 \
    --per_device_train_batch_size 2 \
    --gradient_accumulation_steps 4 \
    --num_generations 8 \
    --learning_rate 1e-6 \
    --output_dir output/math
