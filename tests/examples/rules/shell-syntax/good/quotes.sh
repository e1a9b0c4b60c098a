swift rlhf --rlhf_type grpo --model "Qwen/Qwen2.5-7B" --dataset 'AI-MO/NuminaMath-TIR#1000' --reward_funcs accuracy \
    --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8 \
    --system "It's a \"maths\" task.
Think first." --stop_words $'\n\n' --run_name grpo-"7B"' a'\ b \
    --vllm_engine_kwargs '{"enable_chunked_prefill": true}' # the end isn't far
