"""The layers of a decoder, from the part of config.json that is about texts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from schema.checkpoint import EXPERTS
from schema.checkpoint import count
from schema.shape.layers import DECODER
from schema.shape.layers import EMBEDDINGS
from schema.shape.layers import HEAD
from schema.shape.layers import Layer
from schema.shape.layers import Linear
from schema.shape.layers import Other

if TYPE_CHECKING:
    from collections.abc import Iterator


#: A setting of config.json that turns something on, and its default; no config has the empty one.
Switch = tuple[str, bool]
_ALWAYS, _NEVER = ("", True), ("", False)


class Family(NamedTuple):
    """What decoders of a kind have in common.

    Attributes:
        qkv_bias: queries, keys and values add a bias.
        out_bias: the attention's output adds one.
        mlp_bias: the layers after the attention add one.
        norms: queries and keys are normed, so a head has a size of its own.
    """

    qkv_bias: Switch = _NEVER
    out_bias: Switch = _NEVER
    mlp_bias: Switch = _NEVER
    norms: bool = False


_SAID = ("attention_bias", False)
#: By model_type, as transformers builds them (5.12.1, models/*/modeling_*.py).
FAMILIES = {
    "llama": Family(qkv_bias=_SAID, out_bias=_SAID, mlp_bias=("mlp_bias", False)),
    **dict.fromkeys(("mistral", "mixtral"), Family()),
    **dict.fromkeys(("qwen2", "qwen2_vl", "qwen2_5_vl"), Family(qkv_bias=_ALWAYS)),
    "qwen2_moe": Family(qkv_bias=("qkv_bias", True)),
    **dict.fromkeys(
        ("qwen3", "qwen3_moe", "qwen3_vl", "qwen3_vl_moe"), Family(qkv_bias=_SAID, out_bias=_SAID, norms=True)
    ),
}
#: Numbers of a head where heads have a size of their own and the config does not say it (Qwen3Config.head_dim).
_HEAD = 128


class Decoder(NamedTuple):
    """The numbers of a decoder.

    Attributes:
        hidden: numbers of a token between the layers.
        layers: how many layers.
        queries: attention heads.
        keys: heads of keys and values.
        head: numbers of a head.
        vocabulary: tokens that it knows.
        middle: the widest that a token gets within a layer: in the dense one, or in all experts that it visits.
        experts: how many each sparse layer has, 0 if it is dense.
        visited: how many of them a token visits.
    """

    hidden: int
    layers: int
    queries: int
    keys: int
    head: int
    vocabulary: int
    middle: int
    experts: int
    visited: int


def decoder(text: dict[str, Any], kind: str) -> Decoder | None:
    """The numbers; None if the config does not say them."""
    hidden, layers = count(text, "hidden_size"), count(text, "num_hidden_layers")
    queries, vocabulary = count(text, "num_attention_heads"), count(text, "vocab_size")
    if not (hidden and layers and queries and vocabulary):
        return None
    keys = count(text, "num_key_value_heads") or queries
    normed = kind in FAMILIES and FAMILIES[kind].norms
    head = count(text, "head_dim") or (_HEAD if normed else hidden // queries)
    experts = next((number for name in EXPERTS if (number := count(text, name))), 0)
    dense = count(text, "intermediate_size") or 0
    middle = max(dense if _dense_layers(text, layers, experts) else 0, _visited(text, experts))
    visited = count(text, "num_experts_per_tok") or 1 if experts else 0
    return Decoder(hidden, layers, queries, keys, head, vocabulary, middle, experts, visited)


def _visited(text: dict[str, Any], experts: int) -> int:
    """Numbers of a token within all experts that it visits."""
    if not experts:
        return 0
    each = (count(text, "num_experts_per_tok") or 1) * _expert(text)
    return each + (count(text, "shared_expert_intermediate_size") or 0)


def _expert(text: dict[str, Any]) -> int:
    return count(text, "moe_intermediate_size") or count(text, "intermediate_size") or 0


def _dense_layers(text: dict[str, Any], layers: int, experts: int) -> int:
    """How many layers have no experts (transformers 5.12.1, modeling_qwen3_moe.py:314)."""
    if not experts:
        return layers
    only, step = text.get("mlp_only_layers"), count(text, "decoder_sparse_step") or 1
    listed = only if isinstance(only, list) else []
    named = {layer for layer in listed if isinstance(layer, int) and 0 <= layer < layers}
    return layers - layers // step + sum((layer + 1) % step == 0 for layer in named)


def parts(text: dict[str, Any], kind: str, *, tied: bool) -> Iterator[Layer]:
    """All layers of a decoder whose family is known and whose numbers are said."""
    numbers, family = decoder(text, kind), FAMILIES[kind]
    if numbers is None:
        return
    yield Other("embed_tokens", numbers.vocabulary * numbers.hidden, EMBEDDINGS)
    if not tied:
        yield Linear("lm_head", numbers.hidden, numbers.vocabulary, 1, HEAD)
    yield from _attention(text, numbers, family)
    dense = _dense_layers(text, numbers.layers, numbers.experts)
    yield from _dense(
        numbers.hidden, count(text, "intermediate_size") or 0, dense, bias=_on(text, family.mlp_bias)
    )
    yield from _sparse(text, numbers, numbers.layers - dense)
    norms = numbers.layers * (2 * numbers.hidden + 2 * numbers.head * family.norms) + numbers.hidden
    yield Other("norms", norms, DECODER)


def _attention(text: dict[str, Any], numbers: Decoder, family: Family) -> Iterator[Layer]:
    hidden, layers, bias = numbers.hidden, numbers.layers, _on(text, family.qkv_bias)
    for name, heads in (("q_proj", numbers.queries), ("k_proj", numbers.keys), ("v_proj", numbers.keys)):
        yield Linear(name, hidden, heads * numbers.head, layers, DECODER, bias)
    out = _on(text, family.out_bias)
    yield Linear("o_proj", numbers.queries * numbers.head, hidden, layers, DECODER, out)


def _dense(hidden: int, middle: int, layers: int, *, bias: bool, name: str = "") -> Iterator[Layer]:
    if layers and middle:
        yield Linear(f"{name}gate_proj", hidden, middle, layers, DECODER, bias)
        yield Linear(f"{name}up_proj", hidden, middle, layers, DECODER, bias)
        yield Linear(f"{name}down_proj", middle, hidden, layers, DECODER, bias)


def _sparse(text: dict[str, Any], numbers: Decoder, layers: int) -> Iterator[Layer]:
    """Experts are one tensor of all, which `all-linear` does not see; neither does it see the router."""
    if not layers:
        return
    hidden = numbers.hidden
    yield Other("router", layers * numbers.experts * hidden, DECODER)
    yield Other("experts", layers * numbers.experts * 3 * hidden * _expert(text), DECODER)
    if shared := count(text, "shared_expert_intermediate_size"):
        yield from _dense(hidden, shared, layers, bias=False, name="shared_expert.")
        yield Linear("shared_expert_gate", hidden, 1, layers, DECODER)


def _on(text: dict[str, Any], switch: Switch) -> bool:
    return bool(text.get(*switch))
