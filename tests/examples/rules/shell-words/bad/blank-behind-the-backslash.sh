swift rlhf \
    --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8 \ 
    --num_generations 8
# expect 3: shell-words
