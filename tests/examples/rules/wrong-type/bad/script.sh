swift rlhf --rlhf_type grpo --model Qwen/Qwen2.5-7B --dataset data/train.jsonl --reward_funcs accuracy \
  --use_vllm true --vllm_mode colocate --per_device_train_batch_size 8 \
  --num_generations eight \
  --learning_rate 1e-6 2e-6
# expect 3: wrong-type
# expect 4: wrong-type
