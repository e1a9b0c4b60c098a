pip install -q math_verify
swift sft --model Qwen/Qwen2.5-7B --dataset data/sft.jsonl
swift rlhf --rlhf_type dpo --model Qwen/Qwen2.5-7B --dataset data/dpo.jsonl
swift rlhf --rlhf_type grpo --model output/sft/last --dataset data/train.jsonl --reward_funcs accuracy \
  --use_vllm true --vllm_mode colocate --num_generations 8 --per_device_train_batch_size 8 2>&1 | tee train.log
cat <<'END'
swift rlhf --rlhf_type grpo --no_such_option 1
END
