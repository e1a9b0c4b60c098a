"""What is asked about, and what mutants are made of."""

#: The shipped presets: file, rollout GPUs, learners, kind of checkpoint.
SHIPPED = {
    "summary_1024": ("configs/train/grpo/summary_1024.yaml", 6, 2, "qwen3_vl"),
    "summary_1024_attr_key_recall": ("configs/train/grpo/summary_1024_attr_key_recall.yaml", 6, 2, "qwen3_vl"),
    "smoke": ("configs/smoke/server.yaml", 1, 1, "qwen3"),
    "summary_2048": ("configs/train/grpo/summary_2048.yaml", None, 8, "qwen3_vl"),
    "dense_2048": ("configs/train/grpo/dense_2048.yaml", None, 8, "qwen3_vl"),
}
