"""What a pre-commit hook passes over: files of other tools."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from schema.yamltext.document import MAX_SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from schema.audit import Audit

#: What the text of a preset has that no file of another tool has.
_WORDS = (b"rlhf", b"vllm_", b"swift")


def in_hook() -> bool:
    """Whether pre-commit runs this call, and passes files of all kinds."""
    return bool(os.environ.get("PRE_COMMIT"))


def is_of_another_tool(file: Path, audit: Audit) -> bool:
    """Whether a file that cannot be read as a preset says nothing of rollouts, and no preset extends it."""
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_SIZE)
    except OSError:
        return False
    return not any(word in content for word in _WORDS) and not any(audit.extending(file))
