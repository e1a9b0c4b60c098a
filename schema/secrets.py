"""Which settings and variables are secrets: their values stand in no message, and in no file that is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schema.resolve.tree import Branch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.findings import Finding
    from schema.place import Place
    from schema.resolve import Tree

HIDDEN = "***"
_SECRET = re.compile(r"(?:^|_)(?:api_?key|key|token|secret|password|passwd|credentials?)$", re.IGNORECASE)
#: What messages show of a value: text in quotes, or a number.
_QUOTED = r"'[^']*'|\"[^\"]*\""
_VALUE = re.compile(rf"{_QUOTED}|\b\S*\d\S*\b")


def is_secret(name: str) -> bool:
    """Whether a setting, an option or a variable of this name holds a secret."""
    return _SECRET.search(name) is not None


def places(tree: Tree | None) -> Iterator[Place]:
    """Where the secrets of a preset stand."""
    for name, child in tree.children.items() if isinstance(tree, Branch) else ():
        if is_secret(str(name)):
            yield from (child.place, child.key)
        else:
            yield from places(child)


def masked(finding: Finding) -> Finding:
    """A finding about a secret, without it."""
    return finding._replace(
        message=_VALUE.sub(HIDDEN, finding.message),
        consequence=re.sub(_QUOTED, HIDDEN, finding.consequence),
        fix=_VALUE.sub(HIDDEN, finding.fix),
    )
