"""What a learner does, as far as its memory depends on it, and what of the model it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.shape.layers import ALIGNER
from schema.shape.layers import DECODER
from schema.shape.layers import EMBEDDINGS
from schema.shape.layers import HEAD
from schema.shape.layers import TOWER

if TYPE_CHECKING:
    from schema.shape.layers import Linear
    from schema.shape.model import Shape

ALL_LINEAR = "all-linear"


class Learning(NamedTuple):
    """The settings of one learner.

    Attributes:
        rows: per_device_train_batch_size.
        prompt: tokens of a prompt, those of its pictures included.
        completion: tokens of a completion.
        world: learners (W).
        zero: the stage of DeepSpeed, 0 to 3; None without DeepSpeed.
        full: whether all parameters are trained; else LoRA.
        rank: lora_rank.
        dora: use_dora.
        dropout: whether lora_dropout is above 0.
        trained: the parts that are not frozen (freeze_llm, freeze_vit, freeze_aligner).
        targets: target_modules.
        checkpointing: gradient_checkpointing.
        reference: whether beta asks for the log-probabilities of a reference.
        batches: move_model_batches.
        patches: of the pictures of a prompt.
    """

    rows: int
    prompt: int
    completion: int
    world: int = 1
    zero: int | None = 2
    full: bool = False
    rank: int = 8
    dora: bool = False
    dropout: bool = True
    trained: tuple[str, ...] = (DECODER,)
    targets: tuple[str, ...] = (ALL_LINEAR,)
    checkpointing: bool = True
    reference: bool = True
    batches: int | None = None
    patches: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of one micro-step on one GPU."""
        return self.rows * (self.prompt + self.completion)

    @property
    def gathers(self) -> bool:
        """Whether weights come from other GPUs: under ZeRO-3, but one GPU has all of them.

        deepspeed 0.18.9, runtime/zero/partition_parameters.py:879.
        """
        return self.zero == 3 and self.world > 1

    @property
    def logits(self) -> int:
        """Tokens whose logits are made, of completions (ms-swift 4.5.2, rlhf_trainers/grpo_trainer.py:1565)."""
        return self.rows * (self.completion + 1)


def adapted(shape: Shape, learning: Learning) -> tuple[Linear, ...]:
    """The linear layers that get adapters.

    `all-linear` takes those of all parts that are not frozen, but lm_head; other names are looked for everywhere
    (ms-swift 4.5.2, utils/transformers_utils.py:178 and pipelines/train/tuner.py:92).
    """
    if learning.full:
        return ()
    layers = [layer for layer in shape.linears if layer.part != HEAD]
    if ALL_LINEAR in learning.targets:
        return tuple(layer for layer in layers if layer.part in learning.trained)
    return tuple(layer for layer in layers if layer.name.rpartition(".")[2] in learning.targets)


def adapter(layer: Linear, learning: Learning) -> int:
    """Parameters of the adapters of some layers of one shape: two matrices each, and DoRA's magnitudes."""
    magnitudes = layer.outputs if learning.dora else 0
    return layer.times * (learning.rank * (layer.inputs + layer.outputs) + magnitudes)


def trainable(shape: Shape, learning: Learning) -> int:
    """Parameters that are trained."""
    if not learning.full:
        return sum(adapter(layer, learning) for layer in adapted(shape, learning))
    belongs = {EMBEDDINGS: DECODER, HEAD: DECODER, DECODER: DECODER, TOWER: TOWER, ALIGNER: ALIGNER}
    return sum(number for part, number in shape.parts.items() if belongs[part] in learning.trained)
