"""Whose a comment block is, judged by its words: the key's below it, a later key's, or nobody's."""

import pytest

from migrate.yamledit.ownership import Claim
from migrate.yamledit.ownership import Named
from migrate.yamledit.ownership import claim
from migrate.yamledit.ownership import owned

OWN, NEAR, OTHER = Claim.OWN, Claim.NEAR, Claim.OTHER

SHARE = Named("vllm_gpu_memory_utilization", ("0.45",))
LENGTH = Named("vllm_max_model_len", ("8192",))
TENSOR = Named("vllm_tensor_parallel_size", ("4",))
DATA = Named("vllm_data_parallel_size", ("2",))
CACHE = Named("vllm_enable_prefix_caching", ("true",))
IMAGES = Named("vllm_limit_mm_per_prompt", ("image", "5"))
LORA = Named("vllm_enable_lora", ("false",))
SLEEP = Named("sleep_level", ("1",))
OFFLOAD = Named("offload_optimizer", ("true",))
HOST = Named("vllm_server_host", ("127.0.0.1",))
REWARDS = Named("reward_funcs", ("accuracy", "format", "soft_overlong"))
DOTTED = Named("reward_funcs", ("summary.key_recall", "summary.no_repeats"))
WEIGHTS = Named("reward_weights", ("1.0", "0.5"))
CLIP = Named("soft_cache_length", ("256",))
TEMPERATURE = Named("temperature", ("0.7",))
SCHEDULER = Named("lr_scheduler_type", ("cosine",))
DATASET = Named("dataset", ("data/train/answers_v2.jsonl",))
PROMPT = Named("system", ("You are careful and answer in short German sentences.",))

#: Each block with the key below it, the keys that follow, and the verdict.
BLOCKS = {
    "its full name": ("# vllm_gpu_memory_utilization: raise it slowly", SHARE, [REWARDS], OWN),
    "its name without the engine's prefix": ("# gpu_memory_utilization is per card.", SHARE, [REWARDS], OWN),
    "a word of its name": ("# Leaves memory for DeepSpeed.", SHARE, [REWARDS], OWN),
    "a word of its name, in capitals and in the plural": ("# Both GPUs are nearly full.", SHARE, [REWARDS], OWN),
    "a short form": ("# TP must divide the number of heads.", TENSOR, [DATA, REWARDS], OWN),
    "the short form of data parallel": ("# DP 2: two replicas", DATA, [REWARDS], OWN),
    "KV stands for the engine's memory": ("# What is left is KV blocks; format needs few.", SHARE, [REWARDS], OWN),
    "length where the key says len": (
        "# length of all, soft_overlong aside",
        LENGTH,
        [REWARDS],
        OWN,
    ),
    "a part of a name that nobody here has": (
        "# not global_max_length, as others",
        LENGTH,
        [REWARDS],
        OWN,
    ),
    "LoRA": ("# LoRA is merged before it is sent; see reward_funcs", LORA, [REWARDS], OWN),
    "another form of its word": ("# Cached prompts make format rewards cheap.", CACHE, [REWARDS], OWN),
    "a verb": ("# It sleeps while we learn.", SLEEP, [OFFLOAD], OWN),
    "a verb in -ing": ("# Offloading takes 4 s a step.", OFFLOAD, [TEMPERATURE], OWN),
    "a key inside its value": ("# five images, as soft_overlong assumes", IMAGES, [REWARDS], OWN),
    "itself and a sibling": ("# gpu share; vllm_max_model_len is set below", SHARE, [LENGTH], OWN),
    "itself, switched off": ("# vllm_max_model_len: 4096", LENGTH, [SHARE], OWN),
    "itself among what is switched off": ("# vllm_enforce_eager: true\n# vllm_max_model_len: 1", LENGTH, [], OWN),
    "between Chinese signs": ("# 显存占用gpu_memory_utilization不要太高", SHARE, [REWARDS], OWN),
    "values of a sibling": ("# Adds `format` for the layout\n# and soft_overlong.", SHARE, [REWARDS], OTHER),
    "a plain value of a sibling": ("# accuracy decides, all else is a bonus", SHARE, [REWARDS], OTHER),
    "a part of a dotted value": ("# key_recall asks for every key of the table", SHARE, [DOTTED], OTHER),
    "a sibling's name": ("# Sums to one: see reward_weights", SHARE, [REWARDS, WEIGHTS], OTHER),
    "a sibling's name in hyphens": ("# The reward-weights of last spring", CACHE, [WEIGHTS], OTHER),
    "a sibling two keys further": ("# soft_cache_length starts the slope.", TENSOR, [REWARDS, CLIP], OTHER),
    "an engine key that follows": ("# vllm_data_parallel_size: replicas of the engine", TENSOR, [DATA], OTHER),
    "a plain name in backticks": ("# `temperature` under 1, or answers ramble", SHARE, [TEMPERATURE], OTHER),
    "a value that sounds like a word of the key": ("# cosine: the memory of it fades", TENSOR, [SCHEDULER], OTHER),
    "a file of a sibling": ("# answers_v2.jsonl has the new labels", SHARE, [DATASET], OTHER),
    "another setting, switched off": ("# vllm_max_num_seqs: 64", SHARE, [REWARDS], OTHER),
    "several others, switched off": ("# vllm_quantization: fp8\n# top_k: [1, 2]   # tried", SHARE, [], OTHER),
    "a list, switched off": ("# stop_words:\n#   - END\n#   - '###'", LENGTH, [SHARE], OTHER),
    "its neighbour, switched off": ("# vllm_data_parallel_size: 4", TENSOR, [], OTHER),
    "a plain name, switched off": ("# seed: 42", SHARE, [], OTHER),
    "a plain name without backticks": ("# a temperature of the room", SHARE, [TEMPERATURE], NEAR),
    "only stop words and numbers": ("# vLLM: enable 256 of max size", SHARE, [CLIP], NEAR),
    "a number of both": ("# 0.45, was 0.5", SHARE, [WEIGHTS], NEAR),
    "prose": ("# Half of it, by experience.", SHARE, [REWARDS, CLIP], NEAR),
    "a remark with a colon": ("# Note: measured in May", SHARE, [], NEAR),
    "another remark": ("# default: 0.9", SHARE, [], NEAR),
    "a setting with a sentence": ("# caveat: slow on the old nodes", TENSOR, [], NEAR),
    "a folder that is a plain word": ("# fine for data and train alike", SHARE, [DATASET], NEAR),
    "a plain word of a long text": ("# short on this machine", SHARE, [PROMPT], NEAR),
    "a key above it": ("# as in reward_funcs", SHARE, [], NEAR),
    "a banner": ("# ---- engine ----", SHARE, [REWARDS], NEAR),
    "a prefix of a word": ("# formatting of accuracies", SHARE, [REWARDS], NEAR),
}


def test_there_are_enough_blocks():
    assert len(BLOCKS) >= 25
    assert {verdict for *_, verdict in BLOCKS.values()} == set(Claim)


@pytest.mark.parametrize(("block", "key", "following", "verdict"), BLOCKS.values(), ids=BLOCKS)
def test_claim(block, key, following, verdict):
    assert claim(block.split("\n"), key, following) is verdict


@pytest.mark.parametrize(("block", "key", "following", "verdict"), BLOCKS.values(), ids=BLOCKS)
def test_what_moves_and_what_goes(block, key, following, verdict):
    lines = block.split("\n")
    assert owned(lines, key, following, goes=False) == (0 if verdict is OTHER else len(lines))
    assert owned(lines, key, following, goes=True) == (len(lines) if verdict is OWN else 0)


@pytest.mark.parametrize("goes", [False, True])
def test_a_silencer_leaves_with_its_line(goes):
    silencer = "# rollout-split: ignore[memory-share] measured"
    assert owned([silencer], SHARE, [REWARDS], goes=goes) == 1
    assert owned(["# accuracy decides", silencer], SHARE, [REWARDS], goes=goes) == 1
    assert owned(["# accuracy decides", silencer, silencer], SHARE, [REWARDS], goes=goes) == 2
    assert owned(["# GPU memory", silencer], SHARE, [REWARDS], goes=goes) == 2


def test_no_block_leaves_nothing():
    assert owned([], SHARE, [REWARDS], goes=False) == 0
    assert owned([], SHARE, [REWARDS], goes=True) == 0
