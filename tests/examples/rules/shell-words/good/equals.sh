NPROC_PER_NODE=4 swift rlhf --rlhf_type=grpo --model=Qwen/Qwen2.5-7B --dataset=data/train.jsonl --reward_funcs=accuracy \
  --use_vllm=true --vllm_mode=colocate --learning_rate=1e-6 --num_generations=8 --per_device_train_batch_size=2 \
  --top_k=-1 --system='You think first, in <think> </think>.' --beta=0.04
