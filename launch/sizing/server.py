"""Whether an engine fits into its share of a GPU, and how many tokens and sequences it then holds."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.split import capacity
from schema.split.aside import aside
from schema.split.capacity import GIB

if TYPE_CHECKING:
    from schema.shape.model import Shape
    from schema.split.capacity import Engine


class EngineFit(NamedTuple):
    """One engine, on each of the GPUs that it spans.

    Attributes:
        weights_gib: of its weights; 0 if nothing tells them.
        aside_gib: what vLLM sets aside besides.
        kv_tokens: what its KV cache holds; None if that is not known.
        sequences: how many of full length that is; None if kv_tokens or the length is not known.
        fits: whether it starts: vLLM refuses one that cannot hold a sequence of full length; None if not known.
        missing: why something is not known, a sentence each.
    """

    weights_gib: float
    aside_gib: float
    kv_tokens: int | None
    sequences: float | None
    fits: bool | None
    missing: tuple[str, ...]

    def held(self, length: float) -> float | None:
        """How many sequences of a length the cache holds at once, such as of a run's typical one."""
        return None if self.kv_tokens is None else self.kv_tokens / length


def fit(shape: Shape, engine: Engine, gib: float, stored: int = 0, patches: int = 0) -> EngineFit:
    """Tells what an engine will find on GPUs of `gib` GiB, as nvidia-smi tells it.

    The bytes of the checkpoint's files, `stored`, tell the weights that are quantized, or not counted. `patches`
    are those of the largest picture that the processor lets through; 0 takes the usual number.
    """
    weights = capacity.weights(shape, engine.tensor, stored) / GIB
    reserved = aside(shape, engine, patches)
    missing = tuple(_missing(shape, engine, weights))
    per_token = capacity.token(shape, engine.tensor, engine.cache)
    if missing or per_token is None:
        fits = False if gib * engine.utilization < weights + reserved else None
        return EngineFit(weights, reserved, None, None, fits, missing)
    tokens = capacity.tokens(gib, engine, weights, reserved, per_token)
    sequences = tokens / engine.length if engine.length else None
    return EngineFit(weights, reserved, tokens, sequences, tokens >= (engine.length or 1), missing)


def _missing(shape: Shape, engine: Engine, weights: float) -> list[str]:
    unknown = capacity.unknown(shape, engine.cache)
    missing = [f"the KV cache is not known, because {unknown}"] if unknown else []
    if weights:
        return missing
    quantized = ("the weights are quantized, and their files are not here",) if shape.quantized else ()
    return [*missing, *(quantized or shape.missing)]
