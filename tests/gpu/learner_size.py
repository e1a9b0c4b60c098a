"""The memory of one learner: ms-swift's own GRPO trainer, whose server answers at once and takes no weights."""

import os
import random
import signal
import socket
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import material
import shapes
import sizes

STEPS, GROUP, ACCUMULATION = 2, 4, 2


def measure(setting, folder):
    """Trains for two optimizer steps and writes the most that torch held, by what it did meanwhile."""
    home = folder / "runs" / setting.name
    home.mkdir(parents=True, exist_ok=True)
    prompts = (
        folder / "models/prompts" / ("prompts.jsonl" if setting.model.startswith(shapes.SEES) else "texts.jsonl")
    )
    _distribute()
    from swift.pipelines import rlhf_main
    from swift.rlhf_trainers import rollout_mixin
    from swift.rlhf_trainers import vllm_client

    # Nothing of vLLM is used here, so it need not be there.
    vllm_client.is_vllm_available = rollout_mixin.is_vllm_available = lambda: True
    peaks = Peaks()
    _answer(vllm_client.VLLMClient, setting.completion)
    lock = sizes.Gpu(folder, setting.alone)
    signal.alarm(sizes.LIMIT)
    _watch(peaks)
    with peaks.during("load"):
        rlhf_main(_words(setting, folder, home, prompts))
    sizes.save(folder, setting, peaks.told() | {"deepspeed": _stage(setting)})
    del lock
    os._exit(0)


def _distribute():
    """Makes this the only process of a learner, as torchrun would."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ones = {"WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"}
    os.environ |= ones | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}


def _stage(setting):
    return setting.zero if find_spec("deepspeed") else None


def _words(setting, folder, home, prompts):
    """The arguments of `swift rlhf`."""
    kind, template = shapes.kind(setting.model)
    made = setting.batch * ACCUMULATION
    values = {
        "rlhf_type": "grpo",
        "model": folder / "models" / setting.model,
        "model_type": kind,
        "template": template,
        "torch_dtype": "bfloat16",
        "attn_impl": "sdpa",
        "dataset": prompts,
        "tuner_type": "full" if setting.full else "lora",
        "per_device_train_batch_size": setting.batch,
        "gradient_accumulation_steps": ACCUMULATION,
        "generation_batch_size": made,
        "num_generations": min(GROUP, made),
        "max_completion_length": setting.completion,
        "max_length": 8192,
        "max_steps": STEPS,
        "gradient_checkpointing": setting.checkpointing,
        "beta": 0.04,
        "learning_rate": 1e-6,
        "reward_funcs": "letters",
        "external_plugins": Path(__file__).with_name("plugin.py"),
        "use_vllm": True,
        "vllm_mode": "server",
        "vllm_server_host": "127.0.0.1",
        "vllm_server_port": 8000,
        "output_dir": home / "output",
        "logging_steps": 1,
        "eval_strategy": "no",
        "save_strategy": "no",
        "report_to": "none",
        "check_model": False,
        "dataloader_num_workers": 0,
        "dataset_num_proc": 1,
    }
    if not setting.full:
        values |= {"lora_rank": 32, "lora_alpha": 64, "lora_dropout": 0.1, "target_modules": "all-linear"}
        values |= {"use_dora": setting.dora}
    if setting.model.startswith(shapes.SEES):
        values |= {"freeze_vit": not setting.vision, "freeze_aligner": not setting.vision}
    if setting.batches:
        values |= {"move_model_batches": setting.batches}
    if stage := _stage(setting):
        values |= {"deepspeed": f"zero{stage}"}
    if setting.name.startswith("tiny"):
        values |= {"use_cpu": True, "bf16": False, "torch_dtype": "float32"}
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


def _answer(client, length):
    """Takes the network out of the client: completions are letters by chance, weights go nowhere."""
    from swift.infer_engine import protocol

    dice = random.Random(material.SEED)

    def infer(_, requests, *__, **___):
        return [completion() for _ in requests]

    def completion():
        tokens = [dice.randrange(256, material.FIRST) for _ in range(length)]
        said = protocol.ChatMessage(role="assistant", content="".join(dice.choices("amz", k=length)))
        choice = protocol.ChatCompletionResponseChoice(0, said, "length", token_ids=tokens)
        usage = protocol.UsageInfo(0, length, length)
        answer = protocol.ChatCompletionResponse("", [choice], usage)
        return protocol.RolloutOutput(response=answer, response_token_ids=[tokens])

    def get_engine_type(self):
        self.use_async_engine = self.enable_multi_turn = self.enable_lora = self.use_gym_env = False

    client.infer, client.get_engine_type = infer, get_engine_type
    for name in (
        "check_server",
        "close_communicator",
        "init_communicator",
        "update_flattened_params",
        "process_weights_after_loading",
        "reset_prefix_cache",
        "reset_encoder_cache",
        "reset_mm_cache",
    ):
        setattr(client, name, lambda *_, **__: None)


class Peaks:
    """The most that torch held during each part of the work, in GiB; a part within another counts by itself."""

    def __init__(self):
        self.most, self.reserved, self.inside, self.shapes = {}, {}, [], set()
        self.trainable = self.parameters = 0

    @contextmanager
    def during(self, part):
        """A part of the work."""
        self._note()
        self.inside.append(part)
        try:
            yield
        finally:
            self._note()
            self.inside.pop()

    def turn(self, part):
        """From now on the work is another part of the same."""
        self._note()
        self.inside[-1] = part

    def _note(self):
        import torch

        if not torch.cuda.is_initialized():
            return
        if self.inside:
            part = self.inside[-1]
            self.most[part] = max(self.most.get(part, 0.0), torch.cuda.max_memory_allocated() / 2**30)
            self.reserved[part] = max(self.reserved.get(part, 0.0), torch.cuda.max_memory_reserved() / 2**30)
        torch.cuda.reset_peak_memory_stats()

    def told(self):
        """All that was seen."""
        import torch

        context = torch.cuda.is_initialized()
        return {
            "allocated_gib": max(self.most.values(), default=0.0),
            "reserved_gib": max(self.reserved.values(), default=0.0),
            "parts_gib": self.most,
            "parts_reserved_gib": self.reserved,
            "process_mib": _process(),
            "used_mib": sizes.used(),
            "held_gib": torch.cuda.memory_allocated() / 2**30 if context else 0.0,
            "kept_gib": torch.cuda.memory_reserved() / 2**30 if context else 0.0,
            "inputs": sorted(self.shapes),
            "trainable": self.trainable,
            "parameters": self.parameters,
        }


def _process():
    """MiB that nvidia-smi counts for this process; None where it does not tell processes apart."""
    import subprocess

    question = ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(question, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        return None
    everyone = dict(line.split(", ") for line in said.splitlines() if line.count(", ") == 1)
    found = everyone.get(str(os.getpid()), "")
    return int(found) if found.isdigit() else None


def _watch(peaks):
    from accelerate import Accelerator
    from swift.rlhf_trainers import GRPOTrainer
    from transformers.trainer_callback import CallbackHandler

    def part(owner, name, called):
        inner = getattr(owner, name)

        def outer(*words, **keywords):
            with peaks.during(called):
                return inner(*words, **keywords)

        setattr(owner, name, outer)

    part(GRPOTrainer, "_move_model_to_vllm", "sync")
    part(GRPOTrainer, "_prepare_batch_inputs", "log-probabilities")
    part(GRPOTrainer, "compute_loss", "forward")
    part(Accelerator, "backward", "backward")
    _see_inputs(GRPOTrainer, peaks)
    begin = CallbackHandler.on_train_begin

    def on_train_begin(self, arguments, state, control):
        model = self.model
        peaks.trainable = sum(_size(each) for each in model.parameters() if each.requires_grad)
        peaks.parameters = sum(map(_size, model.parameters()))
        peaks.turn("optimizer")
        return begin(self, arguments, state, control)

    CallbackHandler.on_train_begin = on_train_begin


def _size(parameter):
    return getattr(parameter, "ds_numel", parameter.numel())


def _see_inputs(trainer, peaks):
    loss = trainer.compute_loss

    def compute_loss(self, model, inputs, *words, **keywords):
        given = (inputs[0] if isinstance(inputs, list) else inputs)["model_inputs"]
        pixels = given.get("pixel_values")
        patches = 0 if pixels is None else pixels.shape[0]
        peaks.shapes.add((*given["input_ids"].shape, patches))
        return loss(self, model, inputs, *words, **keywords)

    trainer.compute_loss = compute_loss
