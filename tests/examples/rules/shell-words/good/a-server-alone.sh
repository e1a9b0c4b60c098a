CUDA_VISIBLE_DEVICES=0,1 swift rollout --model Qwen/Qwen2.5-7B --vllm_tensor_parallel_size 2 --host 127.0.0.1 --port 8000
