"""GPUs, batch numbers and memory of both sides, and what they are in the other mode or another split."""
