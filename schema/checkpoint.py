"""What a checkpoint's own config.json says of the model, where the checkpoint is on this machine.

`config` reads it; whatever else takes one takes None, too, for one that is not here.
"""

from __future__ import annotations

import contextlib
from functools import lru_cache
from pathlib import Path
from typing import Any
from typing import NamedTuple
from typing import TypeAlias

from schema import jsontext
from schema.swift.argument import is_whole

Config: TypeAlias = dict[str, Any]

#: Kinds of rope scaling that leave the length as the checkpoint says it.
_AS_TRAINED = ("default", "mrope", "su", "longrope", "llama3")
_STRETCHED = ("linear", "dynamic")
EXPERTS = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")
#: Where models that take more than texts keep what they say of texts.
_PARTS = ("thinker_config", "text_config", "llm_config")


class Heads(NamedTuple):
    """Attention heads of a model's layers: all of them, and those of keys and values."""

    queries: int
    keys: int

    def fit(self, tensor: int) -> bool:
        """Whether vLLM can lay them out on a number of GPUs: what is fewer than the GPUs, it copies."""
        more, fewer = max(self.keys, tensor), min(self.keys, tensor)
        return not self.queries % tensor and not more % fewer


def is_dense(settings: Config | None) -> bool | None:
    """Whether a model has no experts; None if its config is not here."""
    if settings is None:
        return None
    return not any(part.get(name) for part in _parts(settings) for name in EXPERTS)


def sees(settings: Config | None) -> bool | None:
    """Whether a model takes pictures; None if its config is not here."""
    return None if settings is None else any("vision_config" in part for part in _parts(settings))


def _parts(settings: Config) -> list[Config]:
    """A config, and those that it holds: what Qwen2.5-Omni says of pictures stands in thinker_config."""
    return [settings, *(part for part in settings.values() if isinstance(part, dict))]


def positions(settings: Config | None) -> int | None:
    """Tokens that vLLM takes a model for at the most; None if its config is not here, or leaves it open.

    max_position_embeddings of the text part, times the factor of rope scaling that stretches them, or
    model_max_length if that is more (vLLM 0.23.0, config/model.py _get_and_verify_max_len). Releases of vLLM
    disagree about YaRN.
    """
    whole = settings or {}
    texts = text_part(whole)
    most, longer = count(texts, "max_position_embeddings"), count(whole, "model_max_length") or 0
    rope = texts.get("rope_parameters") or texts.get("rope_scaling") or {}
    if most is None or not isinstance(rope, dict):
        return None
    kind, factor = rope.get("rope_type", rope.get("type", "default")), rope.get("factor")
    if kind in _STRETCHED and isinstance(factor, int | float):
        return max(int(most * factor), longer)
    return max(most, longer) if kind in _AS_TRAINED else None


def heads(settings: Config | None) -> Heads | None:
    """The attention heads; None if the config is not here, or does not say.

    Latent attention (kv_lora_rank) has no heads of keys and values to divide.
    """
    texts = text_part(settings or {})
    queries = count(texts, "num_attention_heads")
    if queries is None:
        return None
    keys = None if texts.get("kv_lora_rank") else count(texts, "num_key_value_heads")
    return Heads(queries, keys or queries)


def count(settings: Config, name: str) -> int | None:
    """A positive whole number of a config, or None: what stands there may be of any type, and of any size."""
    value = settings.get(name)
    return value if is_whole(value) and value < 1 << 31 else None


def text_part(settings: Config) -> Config:
    """The part of a config that is about texts: all of it where no part is."""
    for name in _PARTS:
        if isinstance(part := settings.get(name), dict):
            settings = part
    return settings


def stored(model: object) -> int:
    """Bytes of the checkpoint's weights, as its files have them; 0 if they are not here."""
    with contextlib.suppress(OSError, ValueError):  # what no file system takes as a name
        return sum(file.stat().st_size for file in Path(str(model)).glob("*.safetensors"))
    return 0


def config(model: object) -> Config | None:
    """The checkpoint's config.json, which may be named itself; None if it is not here."""
    try:
        settings = jsontext.load(_file(str(model)))
    except (OSError, ValueError):
        return None
    return settings if isinstance(settings, dict) else None


class Configs:
    """The configs of checkpoints, the last few of which are remembered: several rules ask for the same."""

    def __init__(self) -> None:
        self._read = lru_cache(maxsize=16)(config)

    def __call__(self, model: object) -> Config | None:
        """What `config` says of a checkpoint."""
        return self._read(str(model))


@lru_cache(maxsize=64)
def _file(model: str) -> Path:
    path = Path(model)
    return path if path.suffix == ".json" else path / "config.json"
