"""Whose a comment block is that stands directly above a key: the key's, a later key's, or nobody's.

A block is the key's, unless it names a following key of the same mapping, or a word of a following key's
value, and nothing of its own key; or unless each of its lines is a commented-out setting of another name.
Judged by words alone: this module knows neither YAML nor any preset.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.yamledit.words import is_compound
from migrate.yamledit.words import own_words
from migrate.yamledit.words import plain
from migrate.yamledit.words import stems
from migrate.yamledit.words import ticked
from migrate.yamledit.words import value_words
from migrate.yamledit.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

#: It speaks to a linter of the line below it, so it stays with that line.
_SILENCER = re.compile(r"#+\s*rollout-split\s*:\s*ignore\b")
_SETTING = re.compile(r"""#+\s*(?:-\s+)?(["']?)([A-Za-z_][\w.-]*)\1\s*:(?:\s+(?P<value>.*))?$""")
_ITEM = re.compile(r"#+\s*-(?:\s|$)")
#: Values of settings that may hold spaces: in quotes or brackets.
_ENCLOSED = re.compile(r"""(["'\[{]).*["'\]}]\s*(?:#.*)?$""")
#: Words with a colon that begin a remark, not a setting.
_LABELS = frozenset({
    "note", "notes", "todo", "fixme", "hint", "tip", "warning", "caution", "important", "example", "examples",
    "default", "defaults", "was", "before", "old", "previously", "now", "new", "range", "unit", "units", "see",
    "why", "because", "reason", "recommended", "optional", "required", "or", "and",
})  # fmt: skip


class Claim(Enum):
    """What a block has to do with the key below it."""

    OWN = "it says something of the key"
    NEAR = "it names neither the key nor a following one"
    OTHER = "it is about another key"


class Named(NamedTuple):
    """A key, and the text of every scalar of its value."""

    name: str
    values: tuple[str, ...] = ()


def owned(block: Sequence[str], key: Named, following: Iterable[Named], *, goes: bool) -> int:
    """How many lines of the block directly above a key, counted from the key upwards, leave with the key.

    A key that `goes`, and does not move, takes only what speaks of it.
    """
    rest = len(block)
    while rest and _SILENCER.match(block[rest - 1]):
        rest -= 1
    found = claim(block[:rest], key, following)
    return len(block) - (rest if found is Claim.OTHER or (goes and found is Claim.NEAR) else 0)


def claim(block: Sequence[str], key: Named, following: Iterable[Named]) -> Claim:
    """What a block has to do with the key below it."""
    text, own = "\n".join(block), own_words(*key)
    if _is_switched_off(block, key.name, own):
        return Claim.OTHER
    others = [other for other in following if other.name != key.name]
    spoken = words(text)
    if not spoken.isdisjoint({plain(key.name), *value_words(key.values)}):
        return Claim.OWN
    # The parts of a name that is another key's, or stands in its value, speak of that one.
    if own & stems(spoken - {word for other in others for word in _marked(other)}):
        return Claim.OWN
    return Claim.OTHER if any(_speaks_of(spoken, ticked(text), other) for other in others) else Claim.NEAR


def _marked(other: Named) -> set[str]:
    return {word for word in (plain(other.name), *value_words(other.values)) if is_compound(word)}


def _speaks_of(spoken: frozenset[str], quoted: frozenset[str], other: Named) -> bool:
    names = spoken if is_compound(other.name) else quoted
    return plain(other.name) in names or not spoken.isdisjoint(value_words(other.values))


def _is_switched_off(block: Sequence[str], name: str, own: frozenset[str]) -> bool:
    """Whether each line is a commented-out setting of another name, or an item of one."""
    found = [_setting(line) for line in block]
    if not found or found[0] is None or plain(found[0]) == plain(name):
        return False
    return all(
        other is not None and plain(other) != plain(name) and (is_compound(other) or not own & stems({other}))
        for line, other in zip(block, found, strict=True)
        if not _ITEM.match(line) or other is not None
    )


def _setting(line: str) -> str | None:
    """The name of the setting that a comment line would be without its `#`."""
    found = _SETTING.match(line)
    if found is None:
        return None
    name, value = found[2], (found["value"] or "").split(" #")[0].strip()
    prose = len(value.split()) > 1 and not _ENCLOSED.match(value)
    return None if prose or not (is_compound(name) or (name.islower() and name not in _LABELS)) else name
