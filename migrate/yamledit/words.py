"""The words that a comment, a key or a value has, as far as they name something."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A name or a word: a letter first, so that numbers claim nothing; ASCII, so that CJK signs are no part of it.
_WORD = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*")
_TICKED = re.compile(r"([`'\"])(\S+?)\1")
_MARKS = re.compile(r"[_.-]")
_ENDING = re.compile(r"(?:ations?|ions?|ings?|isms?|ers?|ed|es|s|e)$")
_SHORTEST = 3
#: A value with more words is a text, whose plain words are everybody's.
_PROSE = 5
#: What names nothing: it stands in too many keys, is a truth value, or is every sentence's.
_NOTHING = frozenset({
    "vllm", "enable", "enabled", "disable", "use", "used", "uses", "using", "size", "max", "min", "num", "per",
    "prompt", "model", "level", "mode", "type", "kwargs", "args", "extra", "config", "name", "move",
    "true", "false", "yes", "no", "on", "off", "null", "none", "auto", "all",
    "the", "and", "for", "not", "with", "from", "that", "this", "than", "then", "are", "was", "has", "have",
    "can", "its", "but", "when", "where", "which", "will", "may", "must", "only", "also", "more", "less",
    "very", "each", "any", "one", "two", "own", "set", "sets", "value", "values", "default", "defaults",
    "about", "above", "below", "into", "over", "under", "out", "here", "there", "them", "they", "you", "your",
    "our", "same", "other", "at", "as", "by",
})  # fmt: skip
#: What people write for a word of a key: engineers' short forms, and what the thing is called.
_ALIASES = {
    "tensor": ("tp",),
    "data": ("dp",),
    "pipeline": ("pp",),
    "expert": ("ep",),
    "len": ("length", "context", "kv"),
    "memory": ("kv", "vram", "oom", "mem"),
    "utilization": ("share",),
    "caching": ("kv",),
    "lora": ("adapter", "dora"),
    "attn": ("attention",),
    "seqs": ("sequence",),
    "timeout": ("wait",),
    "host": ("address",),
    "async": ("asynchronous",),
}


def is_compound(name: str) -> bool:
    """Whether a name has a mark that words of a sentence do not have."""
    return _MARKS.search(name) is not None


def plain(name: str) -> str:
    """A name as it is compared: people leave out the engine's prefix, and write hyphens."""
    return name.lower().replace("-", "_").removeprefix("vllm_")


def words(text: str) -> frozenset[str]:
    """Every word of a text that may name something, and the parts of dotted ones."""
    found = {plain(part) for word in _WORD.findall(text) for part in (word, *word.split("."))}
    return frozenset(word for word in found if word not in _NOTHING)


def ticked(text: str) -> frozenset[str]:
    """What a text has in quotes or backticks."""
    return frozenset(plain(found[1]) for found in _TICKED.findall(text))


def value_words(values: Iterable[str]) -> frozenset[str]:
    """The words by which a value is recognized; of paths and long texts only those that no sentence has."""
    found: set[str] = set()
    for value in values:
        spoken = words(value)
        long = "/" in value or len(value.split()) > _PROSE
        found |= {word for word in spoken if len(word) >= _SHORTEST and (is_compound(word) or not long)}
    return frozenset(found)


def own_words(name: str, values: Iterable[str]) -> frozenset[str]:
    """The stems by which a comment names a key or its value."""
    parts = {part for part in _MARKS.split(plain(name)) if part not in _NOTHING}
    aliases = {alias for part in parts for alias in _ALIASES.get(part, ())}
    named = {word for word in stems(parts | value_words(values)) if len(word) >= _SHORTEST}
    return frozenset(named | stems(aliases))


def stems(found: Iterable[str]) -> frozenset[str]:
    """Words and parts of compound ones, without the endings that a sentence gives them."""
    parts = {part for word in found for part in (word, *_MARKS.split(word))}
    return frozenset(_stem(part) for part in parts if part and part not in _NOTHING)


def _stem(word: str) -> str:
    short = _ENDING.sub("", word)
    return short if len(short) >= _SHORTEST else word
