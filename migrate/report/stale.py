"""Comments that a migration may have made false: near a change, they name the old mode or an old value."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.yamledit.lookup import find
from migrate.yamledit.nearby import Nearby
from migrate.yamledit.nearby import nearby
from schema.place import shown
from schema.printable import printable
from schema.yamltext.comments import placed
from schema.yamltext.edit import Change
from schema.yamltext.edit import Keep
from schema.yamltext.edit import Move
from schema.yamltext.edit import Prune
from schema.yamltext.edit import Rename

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from migrate.migration import Migration
    from schema.yamltext.edit import Edit

#: How people name the mode that is left, by the mode that comes.
_OLD_MODE = {
    "server": ("colocate", re.compile(r"\bco-?locat", re.IGNORECASE)),
    "colocate": ("server", re.compile(r"(?<![a-z])servers?(?![a-z])|swift rollout", re.IGNORECASE)),
}
_NOTHING = re.compile("(?!)")
_NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d[\d_]*(?:\.\d+)?(?:e[-+]?\d+)?)\s*(%|k\b)?(?!\.?\w)", re.I)
#: What a number is with a sign behind it: 45 % is 0.45, and 8k are 8000 or 8192 tokens.
_TIMES = {"": (1.0,), "%": (0.01,), "k": (1000.0, 1024.0)}
#: Shorter texts and smaller numbers stand in many a header by chance.
_SHORTEST, _SMALLEST = 3, 2


class Stale(NamedTuple):
    """A comment to look at, where it stands after the migration."""

    file: str
    line: int
    comment: str
    names: str


def stale(migrations: Sequence[Migration], mode: str | None) -> list[Stale]:
    """The comments of all files that may be false once the presets are in a mode (None: in theirs)."""
    suspects = [suspect for migration in migrations for suspect in _suspects(migration, mode)]
    names, left = dict(suspects), Counter(comment for comment, _ in suspects)
    found = []
    for migration in migrations:
        for offset, comment in placed(migration.new):
            if left[comment] > 0:
                left[comment] -= 1
                line = migration.new.text.count("\n", 0, offset) + 1
                found.append(Stale(shown(migration.path), line, comment, names[comment]))
    return found


def look_at(found: Sequence[Stale]) -> str:
    """The paragraph of the report about them; nothing if there are none."""
    if not found:
        return ""
    lines = [f"  {suspect.file}:{suspect.line}: {suspect.comment} (names {suspect.names})" for suspect in found]
    title = "Look at these comments, which name the old mode or an old value:"
    return "".join(f"{printable(line)}\n" for line in [title, *lines])


def _suspects(migration: Migration, mode: str | None) -> Iterator[tuple[str, str]]:
    """The comments of a file as it was that name what is no more so, and what they name."""
    name, pattern = _OLD_MODE[mode] if mode else ("", _NOTHING)
    comments = placed(migration.old)
    of_the_mode = {offset for offset, comment in comments if pattern.search(comment)}
    named: dict[int, tuple[str, str]] = {}
    for step in migration.steps if comments else ():
        values = _old_values(migration, step.edit)
        if not values and not of_the_mode:
            continue
        where = nearby(migration.old, step.edit)
        for offset, comment in comments:
            if offset in of_the_mode and where.holds(offset):
                named.setdefault(offset, (comment, name))
            elif values and (value := _named(comment, values, where, offset)):
                named.setdefault(offset, (comment, value))
    yield from (named[offset] for offset in sorted(named))


def _old_values(migration: Migration, edit: Edit) -> list[str]:
    """The scalars that an edit takes away."""
    keeps = isinstance(edit, Move) and (isinstance(edit.value, Keep) or edit.file != migration.path)
    stays = keeps or isinstance(edit, Prune | Rename)
    if stays or (found := find(migration.old, edit.path)) is None:
        return []
    kept = list(_scalars(edit.value)) if isinstance(edit, Change) else []
    return [value for value in _scalars(migration.old.constructor().data(found.value)) if value not in kept]


def _scalars(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _scalars(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _named(comment: str, values: Sequence[str], where: Nearby, offset: int) -> str | None:
    """The first of an edit's old values that a comment of its key, or of a section around it, names."""
    if not ((own := where.is_own(offset)) or where.heads(offset)):
        return None
    return next((value for value in values if _names(comment, value, own=own)), None)


def _names(comment: str, value: str, *, own: bool) -> bool:
    number = _as_number(value)
    if number is None:
        return len(value) >= _SHORTEST and _has_word(comment.lower(), value.lower())
    return (own or number >= _SMALLEST or number % 1 > 0) and number in _numbers(comment)


def _has_word(text: str, word: str) -> bool:
    # A pattern of each value would take longer to compile than all comments to search.
    here = text.find(word)
    while here >= 0:
        around = text[here - 1 : here] + text[here + len(word) : here + len(word) + 1]
        if not any(char.isalnum() or char == "_" for char in around):
            return True
        here = text.find(word, here + 1)
    return False


def _as_number(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def _numbers(comment: str) -> AbstractSet[float]:
    found = [(float(number.replace(",", "").replace("_", "")), sign) for number, sign in _NUMBER.findall(comment)]
    return {round(number * times, 12) for number, sign in found for times in _TIMES[sign.lower()]}
