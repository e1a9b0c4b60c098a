NPROC_PER_NODE=gpu NNODES=1 swift rlhf \
    --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode colocate --num_generations 8 --per_device_train_batch_size 4
