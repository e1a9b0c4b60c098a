"""Text as a terminal may show it: one line, and nothing in it that moves, colours, hides or commands."""

from __future__ import annotations

import re
import unicodedata

#: Characters of a message; what is longer, a value of a megabyte say, is shortened in its middle.
LONGEST = 2000
_ASCII = re.compile(r"[\x20-\x7e]*")
#: Controls, line breaks, surrogates, and what changes the direction of text or has no shape of its own.
_UNSAFE = ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")
#: A line that begins so is a command to GitHub's runner, blanks before it or not.
_COMMAND = re.compile(r"^(\s*)::")


def printable(text: str, keep: str = "") -> str:
    """A text with everything escaped that is not printable, line breaks too.

    Args:
        text: any text, of a file, a name or an error.
        keep: characters that stay as they are.
    """
    if not _ASCII.fullmatch(text):
        text = "".join(char if char in keep else _escaped(char) for char in text)
    return _COMMAND.sub(r"\1\\x3a:", text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode() if unicodedata.category(char) in _UNSAFE else char


def shortened(text: str) -> str:
    """A text of bounded length."""
    if len(text) <= LONGEST:
        return text
    half = LONGEST // 2
    return f"{text[:half]} ... ({len(text) - 2 * half} more characters) ... {text[-half:]}"
