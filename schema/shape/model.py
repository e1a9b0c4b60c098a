"""The shape of a model, from its config.json alone: what it has how many of, and how large."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from schema.checkpoint import text_part
from schema.shape import context
from schema.shape import decoder
from schema.shape import tower
from schema.shape.layers import Linear
from schema.shape.layers import parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.shape.decoder import Decoder
    from schema.shape.layers import Layer
    from schema.shape.tower import Tower


class Shape(NamedTuple):
    """What config.json says of a model.

    Attributes:
        kind: its model_type.
        decoder: the numbers of its decoder; None if config.json does not say them.
        tower: those of its vision tower; None if it has none, or one that is not known.
        layers: all of its layers; none if its architecture is not known.
        tied: whether lm_head and the embeddings are the same numbers.
        latent: numbers of the one vector a layer that it keeps of a token; 0 if it keeps keys and values.
        unlike: why not all layers keep all tokens alike; empty if they do.
        quantized: whether the checkpoint's weights are, so that only its files tell their bytes.
        missing: what could not be told, a sentence each.
    """

    kind: str
    decoder: Decoder | None
    tower: Tower | None
    layers: tuple[Layer, ...]
    tied: bool
    latent: int
    unlike: str
    quantized: bool
    missing: tuple[str, ...]

    @property
    def linears(self) -> tuple[Linear, ...]:
        """The linear layers, in which adapters can be."""
        return tuple(layer for layer in self.layers if isinstance(layer, Linear))

    @property
    def parts(self) -> dict[str, int]:
        """The parameters of each part."""
        return parameters(self.layers)

    @property
    def parameters(self) -> int:
        """The parameters of the whole model; 0 if its architecture is not known."""
        return sum(self.parts.values())


def shape(config: dict[str, Any]) -> Shape:
    """Reads a config.json; what it does not say, or says of an unknown architecture, is in `missing`."""
    text, vision = text_part(config), config.get("vision_config")
    kind = _kind(config)
    numbers = decoder.decoder(text, kind)
    seen = tower.tower(vision, numbers.hidden) if numbers and isinstance(vision, dict) else None
    missing = tuple(_missing(kind, config, numbers, seen))
    tied = bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings", False)))
    layers: list[Layer] = []
    if numbers and not missing:
        layers += decoder.parts(text, kind, tied=tied)
    if seen and isinstance(vision, dict) and not missing:
        layers += tower.TOWERS[kind](seen, vision)
    kept = context.latent(text), context.unlike(text)
    return Shape(kind, numbers, seen, tuple(layers), tied, *kept, "quantization_config" in config, missing)


def _kind(config: dict[str, Any]) -> str:
    kind = config.get("model_type")
    return kind if isinstance(kind, str) else "without model_type"


def _missing(kind: str, config: dict[str, Any], numbers: Decoder | None, seen: Tower | None) -> Iterator[str]:
    if numbers is None:
        yield "config.json does not say the size of the decoder: layers, heads, hidden_size, vocab_size"
    if kind not in decoder.FAMILIES:
        yield f"the parameters are not counted, because models of type {kind} are not known here"
    elif "vision_config" in config and (seen is None or kind not in tower.TOWERS):
        yield f"the parameters are not counted, because the vision tower of type {kind} is not known here"
    if "audio_config" in config:
        yield "the parameters are not counted, because models that hear are not known here"
