"""From nodes of a command to its words, as bash would expand them where no shell is needed to know."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from tree_sitter import Node

    from schema.place import Place
    from schema.shelltext.source import Source

#: Characters of one value, and values of one array; what grows beyond is left to a shell.
MAX_TEXT, MAX_ITEMS = 1 << 16, 1 << 10
_ESCAPES = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|u[0-9A-Fa-f]{1,4}|[0-7]{1,3}|.)", re.DOTALL)
_DEFAULTS = (":-", "-", ":=", "=")
_EVERYTHING = ("@", "*")
#: All arguments of a script, or all items of an array.
_ALL = re.compile(r"\$\{?(?:[@*]|\w+\[[@*]\])")


class Word(NamedTuple):
    """One word of a command.

    Attributes:
        text: what the command gets; where only a shell knows, the piece of the script.
        place: where it starts; of a variable's value, where the variable got it.
        unknown: the piece that only a shell knows, or "".
        open: whether a shell may make several words of it, or none.
    """

    text: str
    place: Place
    unknown: str = ""
    open: bool = False


class Char(NamedTuple):
    """One character with its byte in the script, or a piece that only a shell knows.

    Attributes:
        text: the character, or the piece; "" for an opening quote, which makes a word though nothing may be in it.
        at: its byte.
        quoted: whether bash neither splits words nor looks for files here.
        splits: whether it comes of an expansion outside of quotes, so that a blank ends the word.
        unknown: whether only a shell knows what it is.
        several: whether a shell may make several words of it even in quotes: `"$@"`.
    """

    text: str
    at: int
    quoted: bool = False
    splits: bool = False
    unknown: bool = False
    several: bool = False


Text: TypeAlias = "tuple[Char, ...]"
#: What a variable holds: a text, or the items of an array.
Value: TypeAlias = "Text | list[Text]"


class Expansion:
    """Expands nodes with the values that variables have at one place of a script.

    A shell that `splits`, as bash does, makes words of values outside of quotes, and counts items from 0.
    """

    def __init__(self, source: Source, variables: Mapping[str, Value], *, splits: bool = True) -> None:
        self._source = source
        self._variables = variables
        self._splits = splits

    def text(self, node: Node) -> Text:
        """The text that an assignment stores: nothing is split."""
        return tuple(char._replace(splits=False) for each in self._parts(node, quoted=False) for char in each)[
            :MAX_TEXT
        ]

    def items(self, array: Node) -> list[Text]:
        """The items that an array gets."""
        children = [child for child in array.named_children if child.type != "comment"]
        return [part for child in children for part in self._fields(child)][:MAX_ITEMS]

    def words(self, node: Node) -> Iterator[Word]:
        """The words that an argument becomes."""
        for chars in self._fields(node):
            yield self.word(chars, node)

    def word(self, chars: Sequence[Char], node: Node) -> Word:
        """One word, with its place."""
        pieces = [char for char in chars if char.text]
        first = pieces[0].at if pieces else node.start_byte
        start, end = first, max([first, *(char.at + len(char.text.encode()) for char in pieces)])
        if node.start_byte <= first < node.end_byte:
            start, end = chars[0].at if chars else first, node.end_byte
        unknown = next((char for char in chars if char.unknown), None) or _pattern(chars, self._source.of(node))
        text = "".join(char.text for char in chars)
        several = any(char.several or (char.unknown and char.splits) for char in chars)
        return Word(text, self._source.place(start, end), unknown.text if unknown else "", several)

    def _fields(self, node: Node) -> Iterator[Text]:
        # What one argument becomes: quotes alone make an empty word, an empty variable none.
        for part in self._parts(node, quoted=False):
            yield from _split(part) if self._splits else filter(None, [part])

    def _parts(self, node: Node, *, quoted: bool) -> Iterator[Text]:
        """The words of an argument before they are split at blanks: several where an array is in it."""
        whole: list[Char] = []
        for piece in self._pieces(node, quoted=quoted):
            if isinstance(piece, list):
                first, *others = piece or [()]
                whole += first
                for other in others:
                    yield tuple(whole)
                    whole = [*other]
            else:
                whole += piece
            if len(whole) > MAX_TEXT:
                whole = [Char(self._source.of(node), node.start_byte, unknown=True)]
        yield tuple(whole)

    def _pieces(self, node: Node, *, quoted: bool) -> Iterator[Value]:
        kind = node.type
        if kind in ("string", "translated_string"):
            yield from self._string(node)
        elif kind in ("concatenation", "command_name"):
            for child in node.children:
                yield from self._pieces(child, quoted=quoted)
        elif kind in ("simple_expansion", "expansion"):
            yield self._expanded(node, quoted=quoted)
        elif kind in ("command_substitution", "process_substitution", "arithmetic_expansion", "brace_expression"):
            yield self._unknown(node, quoted=quoted)
        else:
            yield self._literal(node)

    def _string(self, node: Node) -> Iterator[Value]:
        # Blanks and line breaks between pieces are no nodes.
        inner = next((child for child in node.children if child.type == "string"), node)
        here = inner.start_byte + 1
        made = list(self._between(inner, here))
        if any(piece not in ((), []) for piece in made) or [] not in made:  # an empty array alone makes no word
            yield (Char("", node.start_byte, quoted=True),)
        yield from made

    def _between(self, inner: Node, here: int) -> Iterator[Value]:
        for child in inner.children:
            if child.type in ('"', "string_content"):
                continue
            yield self._quoted(here, child.start_byte)
            yield from self._pieces(child, quoted=True)
            here = child.end_byte
        yield self._quoted(here, max(here, inner.end_byte - 1))

    def _quoted(self, start: int, end: int) -> Text:
        return self._unescaped(start, end, special='$`"\\\n', quoted=True)

    def _unescaped(self, start: int, end: int, special: str | None, *, quoted: bool) -> Text:
        """A piece without its backslashes; None as `special`: each of them escapes what follows."""
        found, at, escaped = list[Char](), start, False
        for character in self._source.text(start, end):
            if not escaped and character == "\\":
                escaped = True
            else:
                kept = escaped and special is not None and character not in special
                if kept:
                    found.append(Char("\\", at - 1, quoted=quoted))
                if not (escaped and character == "\n"):
                    found.append(Char(character, at, quoted=quoted or escaped))
                escaped = False
            at += len(character.encode())
        return tuple(found)

    def _literal(self, node: Node) -> Text:
        start, end, text = node.start_byte, node.end_byte, self._source.of(node)
        if node.type == "raw_string":
            return (Char("", start, quoted=True), *_chars(text[1:-1], start + 1))
        if node.type == "ansi_c_string":
            made = _chars(_ESCAPE.sub(_unescape, text[2:-1]), 0)
            return tuple(char._replace(at=start) for char in (Char("", start, quoted=True), *made))
        if text.startswith("~") and node.type == "word":
            return (Char(text, start, unknown=True),)
        return self._unescaped(start, end, special=None, quoted=False)

    def _unknown(self, node: Node, *, quoted: bool, several: bool = False) -> Text:
        return (
            Char(self._source.of(node), node.start_byte, quoted, splits=not quoted, unknown=True, several=several),
        )

    def _expanded(self, node: Node, *, quoted: bool) -> Value:
        name, operator, rest = self._named(node)
        value = self._variables.get(name)
        if isinstance(value, list):
            return self._of_array(value, operator, node, quoted=quoted)
        if operator in _DEFAULTS and (value is None or (not value and operator.startswith(":"))):
            return self._default(rest, quoted=quoted)
        if value is None or (operator and operator not in _DEFAULTS):
            several = _ALL.match(self._source.of(node)) is not None
            return self._unknown(node, quoted=quoted, several=several)
        return _as_here(value, quoted=quoted)

    def _of_array(self, items: Sequence[Text], operator: str, node: Node, *, quoted: bool) -> Value:
        if operator == "*" and quoted:
            joined = [char for item in items for char in (*item, Char(" ", node.start_byte))]
            return _as_here(joined[:-1], quoted=True)
        if operator in _EVERYTHING:
            empty = (Char("", node.start_byte, quoted=True),)
            return [_as_here(item, quoted=quoted) or (empty if quoted else ()) for item in items]
        index = operator or "0"
        if not index.isdigit() or not self._splits:
            return self._unknown(node, quoted=quoted)
        return _as_here(items[int(index)] if int(index) < len(items) else (), quoted=quoted)

    def _default(self, rest: Sequence[Node], *, quoted: bool) -> Text:
        # As in a shell that has no such variable.
        chars = tuple(char for node in rest for each in self._parts(node, quoted=quoted) for char in each)
        return _as_here(chars, quoted=quoted)

    def _named(self, node: Node) -> tuple[str, str, list[Node]]:
        """The variable of `$x` or `${x...}`, what is done with it, and what stands behind that."""
        inner = [child for child in node.children if child.type not in ("$", "${", "}")]
        first = inner[0] if inner else None
        if first is not None and first.type == "subscript":
            name, _, index = self._source.of(first).partition("[")
            index = index.removesuffix("]")
            return name, index if len(inner) == 1 else "?", []
        if first is None or first.type not in ("variable_name", "special_variable_name"):
            return "", "?", []
        operator = inner[1].type if len(inner) > 1 else ""
        return self._source.of(first), operator, inner[2:]


def _as_here(chars: Iterable[Char], *, quoted: bool) -> Text:
    kept = (char for char in chars if char.text)
    return tuple(char._replace(quoted=quoted, splits=not quoted) for char in kept)


def _chars(text: str, at: int) -> Text:
    found = []
    for character in text:
        found.append(Char(character, at, quoted=True))
        at += len(character.encode())
    return tuple(found)


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] in "xu" and len(code) > 1:
        return chr(int(code[1:], 16))
    return chr(int(code, 8) % 256) if code[0] in "01234567" else _ESCAPES.get(code, code)


def _split(chars: Text) -> Iterator[Text]:
    for is_blank, word in groupby(chars, lambda char: char.splits and not char.unknown and char.text.isspace()):
        if not is_blank:
            yield tuple(word)


def _pattern(chars: Sequence[Char], source: str) -> Char | None:
    """What a shell looks up among files, or multiplies: `*`, `?`, `{a,b}` outside of quotes."""
    bare = "".join(char.text if not char.quoted else "x" for char in chars)
    if re.search(r"[*?]|\{[^{}]*(?:,|\.\.)[^{}]*\}", bare):
        return Char(source, chars[0].at, unknown=True)
    return None
