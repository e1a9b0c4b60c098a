train() {
  local out=output/grpo
  mkdir -p "$out"
  nohup swift rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy \
    --use_vllm true --vllm_mode colocate --num_generations 8 --per_device_train_batch_size 8 \
    --output_dir "$out" > "$out/log.txt" 2>&1 &
}
train
wait
