swift rlhf --rlhf-type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward-funcs accuracy \
    --use-vllm --vllm-mode colocate --num-generations 8 --per-device-train-batch-size 8 --log-completions \
    --dataset-shuffle false
