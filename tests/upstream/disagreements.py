"""Where the two verdicts may differ, and why; docs/disagreements.md says it to the users."""

import re

#: Rules that reject what ms-swift constructs.
REJECTED_HERE = {
    "server-field-in-rlhf": "accepted, and read by no learner in server mode",
    "colocate-field-in-server-mode": "accepted, and read in colocate mode only, or reset",
    "connect-field-in-colocate-mode": "accepted, and the learner connects in spite of its mode",
    "not-a-server-field": "taken by the server, beside the learner's own value",
    "unknown-key": "taken by the server without acting on a rollout, or completed by argparse",
    "refused-field": "in a block that colocate mode starts no server from",
    "vllm-mode-unset": "before 3.11.1: a mode that nobody reads, since use_vllm is false",
    "missing-key": "filled with a default that the preset's other reader does not know, or DPO",
    "server-block-missing": "a server of one GPU and the model's full length",
    "deepspeed-config": "a list taken as its item; nothing, taken as no DeepSpeed",
    "overwritten-argument": "the old name of a length wins over the new one",
    "wrong-type": "a number that breaks later, a mapping taken as text, or overwritten by the launcher",
    "wrong-server-type": "a number that breaks later, in vLLM",
    "json-text": "repaired by guessing",
    "engine-kwargs": "read by the worker that loads vLLM, or overwritten",
    "vllm-lora": "taken; vLLM refuses the adapter at the first weight sync",
    "max-model-len": "taken; prompts fail one by one",
    "global-max-length": "taken; no prompt is short enough",
    "rollout-gpus": "only a warning that GPUs stay idle",
    "effective-batch-size": "a key of the training repository; the learner's batch would differ from it",
    "colocate-tensor-parallel": "read when the trainer makes its engine",
    "reward-weights": "read when the trainer is built, after the model was loaded",
    "unknown-loss": "read at the first step, after a rollout",
    "no-reward": "read when the trainer is built, after the model was loaded",
    "one-loopback-host": "this project runs one server, on the learner's node",
    "one-port": "this project runs one server; port 0 and above 65535 fail at connecting",
    "release-defect": "met once the trainer is built, or while it learns",
    "group-port": "opened when the weights are first sent",
    "colocate-lora": "taken; vLLM refuses the adapter, or its rank, when the trainer makes its engine",
    "quantized-learner": "taken; the server refuses the weights at the first sync",
    "rope-scaling-unread": "taken; the engine is made without it",
    "teacher-address": "taken; one address for two servers",
    "async-engine-unawaited": "taken; the server never answers",
    "streaming-without-max-steps": "read when the trainer is built, after the model was loaded",
}
#: The same of flat YAML alone.
REJECTED_FLAT = {
    "yaml-argument": "a null is the word None, which texts take",
    "yaml-environment": "the text of what is no single value",
    "sides-differ": "each side takes its own",
    "server-address": "each side takes its own",
}
#: What ms-swift refuses for reasons that only the machine knows: a package is not installed.
REFUSED_THERE = re.compile(r"^(ImportError|PackageNotFoundError): |use_liger_kernel requires|please install ")
#: Rules that must never reject a value that is meant to be right.
ABOUT_VALUES = {"wrong-type", "wrong-server-type"}


def is_explained(verdict) -> bool:
    """Whether a disagreement is one of those above."""
    if verdict.kind == "false reject":
        about_values = ABOUT_VALUES if verdict.opinion.case.right else set()
        return verdict.rules <= REJECTED_HERE.keys() - about_values
    return REFUSED_THERE.search(verdict.error) is not None
