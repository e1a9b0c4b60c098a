"""The layers of a vision tower and of what joins it to the decoder, from vision_config."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from schema.checkpoint import count
from schema.shape.layers import ALIGNER
from schema.shape.layers import TOWER
from schema.shape.layers import Layer
from schema.shape.layers import Linear
from schema.shape.layers import Other

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator


class Tower(NamedTuple):
    """The numbers of a vision tower.

    Attributes:
        hidden: numbers of a patch between the blocks.
        blocks: how many blocks.
        middle: numbers of a patch within a block.
        out: numbers of a token for the decoder.
        merged: patches that become one token.
        deep: layers of the decoder that get pictures, besides the first (Qwen3-VL).
        patch: numbers of a patch as it comes in.
    """

    hidden: int
    blocks: int
    middle: int
    out: int
    merged: int
    deep: int
    patch: int


def tower(vision: dict[str, Any], decoder_hidden: int) -> Tower | None:
    """The numbers; None if the config does not say them.

    Qwen2-VL calls the width embed_dim, and what the decoder takes hidden_size (transformers 5.12.1,
    models/qwen2_vl/configuration_qwen2_vl.py).
    """
    narrow = count(vision, "embed_dim")
    hidden, blocks = narrow or count(vision, "hidden_size"), count(vision, "depth")
    if not (hidden and blocks):
        return None
    middle = count(vision, "intermediate_size") or hidden * (count(vision, "mlp_ratio") or 4)
    out = count(vision, "hidden_size") if narrow else count(vision, "out_hidden_size")
    merged = (count(vision, "spatial_merge_size") or 2) ** 2
    size = count(vision, "patch_size") or count(vision, "spatial_patch_size") or 14
    colours = count(vision, "in_channels") or count(vision, "in_chans") or 3
    patch = colours * (count(vision, "temporal_patch_size") or 2) * size**2
    deep = vision.get("deepstack_visual_indexes")
    return Tower(
        hidden, blocks, middle, out or decoder_hidden, merged, len(deep) if isinstance(deep, list) else 0, patch
    )


def _attention(numbers: Tower) -> Iterator[Layer]:
    hidden, blocks = numbers.hidden, numbers.blocks
    yield Linear("qkv", hidden, 3 * hidden, blocks, TOWER, bias=True)
    yield Linear("proj", hidden, hidden, blocks, TOWER, bias=True)


def _two(numbers: Tower) -> Iterator[Layer]:
    yield Linear("fc1", numbers.hidden, numbers.middle, numbers.blocks, TOWER, bias=True)
    yield Linear("fc2", numbers.middle, numbers.hidden, numbers.blocks, TOWER, bias=True)


def _merger(numbers: Tower, count: int, norm: int) -> Iterator[Layer]:
    wide = numbers.hidden * numbers.merged
    yield Linear("merger.0", wide, wide, count, ALIGNER, bias=True)
    yield Linear("merger.2", wide, numbers.out, count, ALIGNER, bias=True)
    yield Other("merger.norm", count * norm, ALIGNER)


def _qwen2(numbers: Tower, _: dict[str, Any]) -> Iterator[Layer]:
    yield from (*_attention(numbers), *_two(numbers))
    yield Other("patches and norms", numbers.hidden * (numbers.patch + 4 * numbers.blocks), TOWER)
    yield from _merger(numbers, 1, 2 * numbers.hidden)


def _qwen2_5(numbers: Tower, _: dict[str, Any]) -> Iterator[Layer]:
    hidden, middle, blocks = numbers.hidden, numbers.middle, numbers.blocks
    yield from _attention(numbers)
    yield Linear("gate_proj", hidden, middle, blocks, TOWER, bias=True)
    yield Linear("up_proj", hidden, middle, blocks, TOWER, bias=True)
    yield Linear("down_proj", middle, hidden, blocks, TOWER, bias=True)
    yield Other("patches and norms", hidden * (numbers.patch + 2 * blocks), TOWER)
    yield from _merger(numbers, 1, hidden)


def _qwen3(numbers: Tower, vision: dict[str, Any]) -> Iterator[Layer]:
    hidden, places = numbers.hidden, count(vision, "num_position_embeddings") or 2304
    yield from (*_attention(numbers), *_two(numbers))
    rest = hidden * (numbers.patch + 1 + places + 4 * numbers.blocks)
    yield Other("patches, places and norms", rest, TOWER)
    yield from _merger(numbers, 1, 2 * hidden)
    if numbers.deep:
        yield from _merger(numbers, numbers.deep, 2 * hidden * numbers.merged)


#: By the model_type of the whole, as transformers builds them (5.12.1, models/*/modeling_*.py).
TOWERS: dict[str, Callable[[Tower, dict[str, Any]], Iterator[Layer]]] = {
    "qwen2_vl": _qwen2,
    "qwen2_5_vl": _qwen2_5,
    "qwen3_vl": _qwen3,
    "qwen3_vl_moe": _qwen3,
}
