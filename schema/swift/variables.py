"""Environment variables that decide what a side does, besides its arguments."""

from __future__ import annotations

#: Learner processes on one node; torchrun takes 1 where it is unset (ms-swift 4.5.2, cli/main.py:71).
PROCESSES = "NPROC_PER_NODE"
#: Nodes whose learners learn together, one where it is unset.
NODES = "NNODES"
#: The GPUs that a process sees.
GPUS = "CUDA_VISIBLE_DEVICES"

#: What ms-swift's templates make tokens of texts by (4.5.2, template/templates/llm.py:347, minimax.py:196).
TEXTS = frozenset({"REASONING_EFFORT", "THINKING_MODE"})
#: The same of pictures, videos and sounds (4.5.2, model/models/qwen.py:703-725 patch_qwen_vl_utils; get_env_args
#: in template/, 3.10.0 to 4.6.0).
MEDIA = frozenset(
    {
        *("MIN_PIXELS", "MAX_PIXELS", "IMAGE_FACTOR", "MAX_RATIO", "SPATIAL_MERGE_SIZE"),
        *("IMAGE_MIN_TOKEN_NUM", "IMAGE_MAX_TOKEN_NUM", "VIDEO_MIN_TOKEN_NUM", "VIDEO_MAX_TOKEN_NUM"),
        *("VIDEO_MIN_PIXELS", "VIDEO_MAX_PIXELS", "VIDEO_TOTAL_PIXELS", "FRAME_FACTOR"),
        *("FPS", "FPS_MIN_FRAMES", "FPS_MAX_FRAMES", "NFRAMES", "NUM_FRAMES", "MAX_NUM_FRAMES", "STACK_FRAMES"),
        *("VIDEO_SEGMENTS", "VIDEO_MAX_NUM", "MAX_NUM", "MAX_SLICE_NUMS", "VIDEO_MAX_SLICE_NUMS", "MAX_PARTITION"),
        *("HD_NUM", "NUM_CROPS", "CROP_MODE", "DOWNSAMPLE_MODE"),
        *("INPUT_SIZE", "IMAGE_SIZE", "IMG_SIZE", "BASE_SIZE"),
        *("N_MELS", "SAMPLING_RATE", "USE_AUDIO_IN_VIDEO", "QWENVL_BBOX_FORMAT", "ROOT_IMAGE_DIR"),
    }
)
#: Variables of a distributed launch that must not leak from the caller's shell into either side: with RANK
#: and LOCAL_RANK set `swift rollout` starts DDP (ms-swift 4.5.2, arguments/base_args/base_args.py).
DISTRIBUTED = (
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    PROCESSES,
    NODES,
    "NODE_RANK",
    "MASTER_ADDR",
    "MASTER_PORT",
)
#: Where torch reads its allocator's settings: PYTORCH_CUDA_ALLOC_CONF before 2.9.
ALLOCATORS = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF")


def segments_expand(settings: str) -> bool:
    """Whether an allocator's settings ask for expandable segments; torch reads past blanks."""
    return "expandable_segments:true" in settings.lower().replace(" ", "")
