swift rlhf --rlhf_type grpo --model "$1" --dataset data/train.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8 \
    --output_dir output/$(date +%s) \
    "${@:2}"
# expect 1: shell-value
# expect 3: shell-value
# expect 4: shell-value
