torchrun --nproc_per_node gpu --nnodes=1 -m swift.cli.rlhf \
    --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode colocate --num_generations 8 --per_device_train_batch_size 4
