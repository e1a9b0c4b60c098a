"""The commands of a script in their order, with the values that its variables have by then."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.shelltext.source import BLANK
from schema.shelltext.words import Char
from schema.shelltext.words import Expansion
from schema.shelltext.words import Word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

    from tree_sitter import Node

    from schema.shelltext.source import Source
    from schema.shelltext.words import Value

#: What runs its body under a condition, several times, or only when it is called.
_BRANCHES = ("if_statement", "while_statement", "for_statement", "c_style_for_statement", "case_statement")
#: What begins again with the values from before the branch.
_CLAUSES = ("elif_clause", "else_clause", "case_item")
_ASSIGNS = ("variable_assignment", "variable_assignments")
_ROOMS = ("program", "redirected_statement", "pipeline", "compound_statement", "do_group", "negated_command")
#: Commands that give variables values that only a shell knows.
_READERS = ("read", "mapfile", "readarray", "getopts")


class Command(NamedTuple):
    """One command.

    Attributes:
        words: its words, after what the shell makes of them.
        variables: the variables that the script gives it, exported ones too.
        own: the names of those that stand in front of it.
        start: the byte where it starts.
        end: the byte behind it.
        first: the line where it starts.
        last: the line where it ends.
    """

    words: tuple[Word, ...]
    variables: Mapping[str, Word]
    own: frozenset[str]
    start: int
    end: int
    first: int
    last: int

    def texts(self) -> list[str]:
        """The words as texts."""
        return [word.text for word in self.words]


class Walk:
    """Goes through a script once, as a shell would without taking any branch twice.

    The shell is bash, which `splits` values into words, or zsh.
    """

    def __init__(self, source: Source, *, splits: bool = True) -> None:
        self._source = source
        self._splits = splits
        self._values: dict[str, Value] = {}
        self._exported: dict[str, None] = {}

    def commands(self, node: Node) -> Iterator[Command]:
        """The commands at and below a node."""
        if node.type == "command":
            yield self._command(node)
        elif node.type == "redirected_statement" and node.children[0].type == "command":
            yield self._command(node.children[0], node.children[1:])
        elif node.type in _ASSIGNS:
            self._assign(node)
        elif node.type in ("declaration_command", "unset_command"):
            self._declare(node)
        elif node.type in _BRANCHES or node.type in ("function_definition", "subshell", *_CLAUSES):
            yield from self._branch(node)
        elif node.type == "list":
            yield from self._list(node)
        elif node.type in _ROOMS or node.is_error:
            yield from self._below(node)

    def _below(self, node: Node) -> Iterator[Command]:
        for child in node.children:
            yield from self.commands(child)

    def _list(self, node: Node) -> Iterator[Command]:
        # What stands behind && or || may not run.
        first, *others = node.named_children
        yield from self.commands(first)
        for other in others:
            yield from self._branch(other, inside=other)

    def _branch(self, node: Node, inside: Node | None = None) -> Iterator[Command]:
        before = dict(self._values)
        variable = node.child_by_field_name("variable")
        if node.type == "for_statement" and variable is not None:
            self._values[self._source.of(variable)] = self._unknown(node, self._source.of(variable))
        for child in node.children if inside is None else [inside]:
            if child.type in _CLAUSES:
                yield from self._clause(child, before)
            else:
                yield from self.commands(child)
        # What it has changed is known no more behind it; a subshell changes nothing.
        after = before | {name: self._unknown(node, name) for name in self._changed(before)}
        self._values = before if node.type == "subshell" else after

    def _clause(self, node: Node, before: Mapping[str, Value]) -> Iterator[Command]:
        others, self._values = self._values, dict(before)
        yield from self._below(node)
        self._values = others | {name: self._values[name] for name in self._changed(before)}

    def _changed(self, before: Mapping[str, Value]) -> list[str]:
        return [name for name, value in self._values.items() if before.get(name) != value]

    def _unknown(self, node: Node, name: str = "") -> Value:
        piece = f"${name}" if name else self._source.of(node)
        return (Char(piece, node.start_byte, unknown=True),)

    def _expansion(self) -> Expansion:
        return Expansion(self._source, self._values, splits=self._splits)

    def _assign(self, node: Node) -> list[str]:
        if node.type == "variable_assignments":
            return [name for child in node.named_children for name in self._assign(child)]
        target, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if target is None:
            return []
        name = self._source.of(target)
        if target.type != "variable_name":  # an item of an array
            name = name.partition("[")[0]
            self._values[name] = self._unknown(node)
            return [name]
        adds = any(child.type == "+=" for child in node.children)
        self._values[name] = self._added(name, self._value(value), node) if adds else self._value(value)
        return [name]

    def _value(self, node: Node | None) -> Value:
        if node is None:
            return ()
        return self._expansion().items(node) if node.type == "array" else self._expansion().text(node)

    def _added(self, name: str, value: Value, node: Node) -> Value:
        old = self._values.get(name)
        if old is None:
            return value if isinstance(value, list) else self._unknown(node)
        if isinstance(old, list) and isinstance(value, list):
            return [*old, *value]
        return self._unknown(node) if isinstance(old, list) or isinstance(value, list) else (*old, *value)

    def _declare(self, node: Node) -> None:
        names: list[str] = []
        for child in node.named_children:
            if child.type == "variable_assignment":
                names += self._assign(child)
            elif child.type == "variable_name":
                names.append(self._source.of(child))
        head = self._source.of(node).split(None, 1)
        flags = [self._source.of(child) for child in node.named_children if child.type == "word"]
        if head[0] == "unset":
            for name in names:
                self._values.pop(name, None)
                self._exported.pop(name, None)
        elif head[0] == "export" or any(flag.startswith("-") and "x" in flag for flag in flags):
            self._exported |= dict.fromkeys(names)

    def _command(self, node: Node, redirects: Sequence[Node] = ()) -> Command:
        own: dict[str, tuple[Value, Node]] = {}
        words: list[Word] = []
        expansion = self._expansion()
        for child in (*node.children, *redirects):
            if child.type == "variable_assignment":
                own |= self._own(child)
            elif child.type == "file_redirect":  # what stands behind its file is the command's again
                targets = child.children_by_field_name("destination")
                words += [word for target in targets[1:] for word in expansion.words(target)]
            elif child.is_named and not child.type.endswith(("redirect", "comment")) and child.text != BLANK:
                words += expansion.words(child)
        command = self._made(node, own, words)
        self._forget(command)
        return command

    def _own(self, node: Node) -> dict[str, tuple[Value, Node]]:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        return {self._source.of(name): (self._value(value), value or node)} if name is not None else {}

    def _made(self, node: Node, own: Mapping[str, tuple[Value, Node]], words: list[Word]) -> Command:
        exported = {name: (self._values[name], node) for name in self._exported if name in self._values}
        assigned, expansion = {**exported, **own}, self._expansion()
        # An array is never exported.
        variables = {
            name: expansion.word(value, at) for name, (value, at) in assigned.items() if isinstance(value, tuple)
        }
        first, last = (self._source.line(at) for at in (node.start_byte, node.end_byte))
        return Command(tuple(words), variables, frozenset(own), node.start_byte, node.end_byte, first, last)

    def _forget(self, command: Command) -> None:
        # `read x` and its like.
        name, *others = command.texts() or [""]
        for other in others if name in _READERS else ():
            if other.isidentifier():
                self._values[other] = (Char(f"${other}", command.start, unknown=True),)
