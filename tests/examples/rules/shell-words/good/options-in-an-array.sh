set -euo pipefail
MODEL=Qwen/Qwen2.5-7B-Instruct
ARGS=(
  --rlhf_type grpo
  --model "$MODEL"            # the policy
  --dataset 'data/my train.jsonl'
  --reward_funcs accuracy format
  # --max_steps 3
  --use_vllm true --vllm_mode colocate
)
ARGS+=(--num_generations 8 --per_device_train_batch_size 8)
swift rlhf "${ARGS[@]}" --learning_rate 1e-6
