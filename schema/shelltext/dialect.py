"""Which shell a script is for: bash is read, and zsh where it makes the same of a script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schema.shelltext.walk import Walk

if TYPE_CHECKING:
    from pathlib import Path

    from schema.shelltext.script import Script
    from schema.shelltext.walk import Command

#: Shells that read what is read here as bash does.
_BASH = ("sh", "bash", "dash", "ash", "ksh", "")
_INTERPRETER = re.compile(rb"#![ \t]*(?:\S*/)?(?:env[ \t]+(?:-\S+[ \t]+)*)?(?:\S*/)?([\w.+-]+)")
_OF_SUFFIX = {".fish": "fish", ".zsh": "zsh"}


def other_shell(path: Path, content: bytes) -> str:
    """The name of what runs a script, by its first line, else by its suffix; nothing where that is bash."""
    found = _INTERPRETER.match(content)
    name = found[1].decode() if found else _OF_SUFFIX.get(path.suffix, "")
    return "" if name in _BASH else name


def otherwise_in_zsh(script: Script) -> list[Command]:
    """The commands of which zsh makes other words than bash.

    It splits no value of a variable outside of quotes into words, and counts items of arrays from 1 (zsh 5.9,
    zshoptions(1): SH_WORD_SPLIT, KSH_ARRAYS).
    """
    read = Walk(script.source, splits=False).commands(script.source.nodes())
    return [bash for bash, zsh in zip(script.commands, read, strict=True) if bash != zsh]
