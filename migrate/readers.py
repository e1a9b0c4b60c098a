"""What readers make of a file: PyYAML (YAML 1.1), as in ms-swift, and ruamel.yaml (YAML 1.2), as in editors."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.errors import InputError
from schema.place import Place
from schema.pyyaml import yaml
from schema.resolve.tree import of_document
from schema.yamltext.document import loader_of
from schema.yamltext.document import remembered
from schema.yamltext.yaml12 import ESCAPES
from schema.yamltext.yaml12 import is_alike

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

    from schema.yamltext import Document
    from schema.yamltext.edit import Data

# Both readers split such a line alike, so that only its plain scalars may differ: letters, brackets, commas, whole
# quotes without escapes, colons before a space, a comment. It has no tag, anchor, block scalar, `?`, or tab.
_ODD = r"\t\r\x85\u2028\u2029\ufeff"
_SAFE = r"[\w./~$+=(), \[\]{}-]*"
_MORE = rf"""(?::(?= |$)|"[^"\\{_ODD}]*"|'[^'{_ODD}]*')"""
_LINE = re.compile(rf"(?!---|\.\.\.){_SAFE}(?:{_MORE}{_SAFE})*(?:(?<![^ ])#[^{_ODD}]*)?")


class Reader(NamedTuple):
    """A reader, and what it makes of a file."""

    name: str
    read: Callable[[Document], Data]


def needed(documents: Iterable[Document]) -> list[Reader]:
    """The readers to ask what files say: PyYAML alone where both certainly read every file alike."""
    both = [Reader("PyYAML", _yaml11), Reader("ruamel.yaml", _yaml12)]
    return both[:1] if all(map(says_one_thing, documents)) else both


@remembered
def says_one_thing(document: Document) -> bool:
    """Whether both versions of YAML certainly read a file alike, in its structure and in its scalars.

    Raises:
        InputError: a key stands twice, which ruamel.yaml refuses.
    """
    of_document(document)
    return all(map(_is_certain, document.plain)) and all(map(_LINE.fullmatch, document.text.split("\n")))


def _is_certain(plain: str) -> bool:
    # Two apostrophes, as in `it's, !!int 1, it's`, would pass for the quotes of a line.
    return is_alike(plain) and "'" not in plain and '"' not in plain


@remembered
def _yaml11(document: Document) -> Data:
    # A file may hold nothing but comments.
    loaded: Data = yaml.load(document.text, loader_of(document.text)) or {}
    return loaded


@remembered
def _yaml12(document: Document) -> Data:
    """What ruamel.yaml makes of a file.

    Raises:
        InputError: it refuses the file.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415 - 20 ms, and most files never need it
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        loaded: Data = YAML(typ="safe", pure=True).load(StringIO(document.text)) or {}
    except (YAMLError, *ESCAPES) as error:
        reason, place = _refused(document, error)
        raise InputError(f"readers of YAML 1.2 refuse this file: {reason}", place) from error
    return loaded


def _refused(document: Document, error: Exception) -> tuple[str, Place]:
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return str(error).split("\n", 1)[0], Place(document.path)
    return str(getattr(error, "problem", error)), Place(document.path, mark.line + 1, mark.column + 1)
