"""One YAML file: its text, its root mapping, its data."""

from __future__ import annotations

import re
from functools import lru_cache
from functools import wraps
from typing import TYPE_CHECKING
from typing import TypeVar
from weakref import WeakKeyDictionary

from schema.errors import InputError
from schema.errors import YamlError
from schema.place import Place
from schema.pyyaml import yaml
from schema.secrets import starred_after
from schema.yamltext.construct import Constructor
from schema.yamltext.nodes import Builder
from schema.yamltext.nodes import Mapping
from schema.yamltext.nodes import NestingError
from schema.yamltext.nodes import Node

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

T = TypeVar("T")

#: Bytes. A preset is a few kB; anything beyond this is another kind of file.
MAX_SIZE = 1 << 20
#: Bytes up to which a parsed file is remembered, and how many are: a migration reads each state of a file often.
SMALL, REMEMBERED = 1 << 15, 64
#: Characters of a text that only PyYAML's slow parser reads as ms-swift does.
MAX_SLOW = 1 << 18
_TOO_SLOW = f"more than {MAX_SLOW} characters, with tabs, tags or question marks among them; not a preset"
BOM = "\ufeff"
#: What PyYAML's two parsers read differently: tabs, a byte order mark inside the text, a `#` that touches the
#: indicator of a block scalar, a `:` that touches a flow indicator, and outside of comment lines tags and `?`.
#: Line breaks beside LF and CRLF count too, since a comment line may end there. Each pattern begins with one
#: character: Python finds it ten times as fast as one of several.
_PICKY_ALONE = ("\t", BOM, "\x85", "\u2028", "\u2029")
_PICKY = tuple(map(re.compile, (r"\r(?!\n)", r"\|[-+0-9]*#", ">[-+0-9]*#", ":[][{},]")))
#: What PyYAML refuses to read, and the bytes of a text that are none of it: ASCII without control characters.
_CONTROL = yaml.reader.Reader.NON_PRINTABLE
_USUAL = bytes([*b"\t\n\r", *range(0x20, 0x7F)])
_TAG = re.compile(r"(?:^|[][\s{},:-])!|\?")


class Document:
    """A parsed file; one that is parsed again may be the same object.

    Attributes:
        path: absolute path of the file.
        text: the text as it is in the file, without its BOM.
        bom: the byte order mark, or an empty string.
        root: the root mapping, or None for a file that holds nothing but comments.
        plain: the texts of its plain scalars.
    """

    def __init__(
        self, path: Path, text: str, bom: str, root: Mapping | None, plain: AbstractSet[str] = frozenset()
    ) -> None:
        self.path = path
        self.text = text
        self.bom = bom
        self.root = root
        self.plain = plain

    @property
    def content(self) -> bytes:
        """The bytes of the file."""
        return (self.bom + self.text).encode()

    def with_text(self, text: str) -> Document:
        """The same file with another text; raises what `read` raises."""
        return parse(self.path, (self.bom + text).encode())

    def constructor(self) -> Constructor:
        """A fresh constructor for this file's nodes."""
        return Constructor(self.path)

    def data(self) -> dict[object, object]:
        """What PyYAML's safe loader makes of the file.

        Raises:
            InputError: see Constructor.data.
        """
        if self.root is None:
            return {}
        made = self.constructor().data(self.root)
        return made if isinstance(made, dict) else {}


def remembered(function: Callable[[Document], T]) -> Callable[[Document], T]:
    """What a function makes of a document is remembered as long as the document; nobody may change it."""
    known: WeakKeyDictionary[Document, T] = WeakKeyDictionary()

    @wraps(function)
    def remembering(document: Document) -> T:
        try:
            return known[document]
        except KeyError:
            return known.setdefault(document, function(document))

    return remembering


def read(path: Path) -> Document:
    """Reads and parses a file.

    Raises:
        InputError: the file cannot be read, is too large, is no UTF-8 text, no YAML, holds several
            documents, or its root is no mapping.
    """
    return parse(path, content_of(path))


def parse(path: Path, content: bytes) -> Document:
    """Parses the content of a file; raises what `read` raises."""
    return (_parsed_once if len(content) <= SMALL else _parsed)(path, content)


def _parsed(path: Path, content: bytes) -> Document:
    text = decoded(path, content)
    bom, text = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    roots, plain = _built(path, text)
    if len(roots) > 1:
        raise YamlError("holds several YAML documents; a preset is exactly one", _place(path, roots[1]))
    root = roots[0] if roots else None
    if root is None or _is_nothing(root):
        return Document(path, text, bom, None)
    if not isinstance(root, Mapping):
        raise YamlError("the root is not a mapping of sections", _place(path, root))
    return Document(path, text, bom, root, plain)


_parsed_once = lru_cache(maxsize=REMEMBERED)(_parsed)


def content_of(path: Path) -> bytes:
    """The bytes of a file, of a bounded number; raises what `read` raises."""
    try:
        with path.open("rb", buffering=0) as file:
            content = b""
            # To ask for the most at once makes a buffer of that size for every file.
            while len(content) <= MAX_SIZE and (more := file.read(SMALL)):
                content += more
    except IsADirectoryError as error:
        raise InputError("is a directory, not a preset", Place(path)) from error
    except OSError as error:
        raise InputError(f"cannot be read: {(error.strerror or str(error)).lower()}", Place(path)) from error
    if len(content) > MAX_SIZE:
        raise InputError(f"is larger than {MAX_SIZE} bytes: not a preset", Place(path))
    return content


def decoded(path: Path, content: bytes) -> str:
    """The text of a file; raises what `read` raises of bytes that are no text."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _after(path, content[: error.start].decode("utf-8"))
        raise InputError(f"is not UTF-8 text (byte {error.start}): a binary file?", place) from error
    unusual = content.translate(None, _USUAL).decode("utf-8")  # next to nothing
    if not unusual.isprintable() and (odd := _CONTROL.search(text)):
        place = _after(path, text[: odd.start()])
        raise InputError(f"holds the control character {odd[0]!r}: a binary file?", place)
    return text


def _after(path: Path, before: str) -> Place:
    return Place(path, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


def _place(path: Path, node: Node) -> Place:
    return Place(path, *node.span[2:])


def _built(path: Path, text: str) -> tuple[list[Node], AbstractSet[str]]:
    try:
        builder = Builder(_events(text))
        return builder.roots(), builder.plain
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        before = text[: mark.index].rpartition("\n")[2] if mark else ""
        reason = starred_after(before, str(error.problem or error.context))
        raise YamlError(f"is not valid YAML: {reason}", place) from error
    except NestingError as error:
        raise YamlError(str(error), Place(path, error.mark.line + 1, error.mark.column + 1)) from error


def loader_of(text: str) -> type[yaml.SafeLoader | yaml.CSafeLoader]:
    """What reads a text as ms-swift's slow loader does: libyaml, ten times as fast, if both read it alike."""
    return yaml.SafeLoader if _is_picky(text) or not yaml.__with_libyaml__ else yaml.CSafeLoader


def _events(text: str) -> Iterator[yaml.Event]:
    loader = loader_of(text)
    if loader is yaml.SafeLoader and len(text) > MAX_SLOW:
        raise yaml.MarkedYAMLError(problem=_TOO_SLOW)
    return iter(loader(text).get_event, None)


def _is_nothing(root: Node) -> bool:
    return not isinstance(root, Mapping) and root.span.start == root.span.end


def _is_picky(text: str) -> bool:
    if any(each in text for each in _PICKY_ALONE) or any(pattern.search(text) for pattern in _PICKY):
        return True
    lines = text.split("\n") if "!" in text or "?" in text else ()
    telling = (line for line in lines if ("!" in line or "?" in line) and not line.lstrip(" ").startswith("#"))
    return any(map(_TAG.search, telling))
