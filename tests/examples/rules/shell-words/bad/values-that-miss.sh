swift rlhf grpo \
    --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8 \
    --learning_rate 1e-5 \
    --max_steps \
    --learning_rate 1e-6
# expect 1: shell-words
# expect 4: shell-words
# expect 5: shell-words
