"""The editors that are compared: ours, ruamel.yaml as it comes and tuned, and yaml-edit."""

from __future__ import annotations

import re
from collections import Counter
from io import StringIO
from pathlib import Path as FilePath
from typing import Any

from ruamel.yaml import YAML

from migrate.yamledit import document as ours
from migrate.yamledit.ends import closed
from migrate.yamledit.lookup import spot
from migrate.yamledit.regions import region
from migrate.yamledit.steps import apply
from schema.errors import InputError
from schema.yamltext import Document
from schema.yamltext import parse
from schema.yamltext.edit import Add
from schema.yamltext.edit import Change
from schema.yamltext.edit import Move
from schema.yamltext.edit import Remove
from schema.yamltext.edit import at
from tests.corpus.choice import NEW
from tests.corpus.choice import Edit
from tests.corpus.choice import Path
from tests.corpus.choice import make
from tests.corpus.choice import nested
from tests.migrate.yamledit.inverses import insert_before
from tests.migrate.yamledit.inverses import source_of

PLACE = FilePath("/corpus/file.yaml")


class Refused(Exception):  # noqa: N818 - no error: the right answer where no safe edit exists
    """The editor says that it will not make this edit."""


class Ours:
    """migrate.yamledit.edits, the way that migrate-config goes."""

    name = "rollout-split"

    def null(self, text: str) -> str:
        document = self.document(text)
        return document.bom + document.text

    def edit(self, text: str, edit: Edit) -> str:
        try:
            new, _ = apply({PLACE: parse(PLACE, text.encode())}, at(PLACE, [self.made(edit)]))
        except InputError as error:
            raise Refused(error.message) from error
        return new[PLACE].bom + new[PLACE].text

    def made(self, edit: Edit) -> Any:
        if edit.kind == "set":
            return Change(edit.path, edit.value, "")
        if edit.kind == "delete":
            return Remove(edit.path, "")
        if edit.kind == "insert":
            return Add(edit.path, edit.value, "")
        return Move(edit.path, (*edit.to, edit.path[-1]), "")

    def document(self, text: str) -> Document:
        try:
            return parse(PLACE, text.encode())
        except InputError as error:
            raise Refused(error.message) from error

    def reported(self, text: str, edit: Edit) -> Counter[str]:
        """The comments that it says go with a deleted key."""
        _, [step] = apply({PLACE: self.document(text)}, at(PLACE, [Remove(edit.path, "")]))
        return Counter(step.gone)

    def undone(self, old: str, new: str, edit: Edit) -> str | None:
        """The text with an edit taken back by another edit; None where that is no inverse."""
        before, after = self.document(old), self.document(new)
        if closed(before) is not before:
            return None  # the file ends in a block scalar without a newline, which became a stripped one
        if after.text.endswith("\n") and not before.text.endswith("\n"):
            return None  # a block scalar came to its end and needs the newline
        if edit.kind == "set":
            text = ours.set_source(after, edit.path, source_of(before, edit.path))
        elif edit.kind == "insert":
            if ours.comments_of(after, edit.path[: edit.path.index(NEW) + 1]):
                return None  # the comment beside an empty mapping is the new key's now
            text = ours.delete(after, edit.path[: edit.path.index(NEW) + 1])
        else:
            return self._moved_back(before, after, edit)
        return after.bom + text

    def _moved_back(self, before: Document, after: Document, edit: Edit) -> str | None:
        moved = (*edit.to, edit.path[-1])
        bare = ours.bare(ours.lines_of(after, moved))
        rest = parse(PLACE, (after.bom + ours.delete(after, moved)).encode())
        where = spot(before, edit.path)
        assert where
        if where.parent.flow:
            return None
        if ours.above(before, edit.path) < len(ours.block_above(before, edit.path)):
            return None  # what stayed above the key does not say which side of it the key stood
        number, siblings = where.number, where.parent.entries
        here = region(before, where)
        if number and region(before, where._replace(number=number - 1)).end == here.head:
            sibling = (*edit.path[:-1], siblings[number - 1].key.value)
            return rest.bom + ours.insert_after(rest, sibling, bare)
        if number + 1 < len(siblings) and region(before, where._replace(number=number + 1)).head == here.end:
            sibling = (*edit.path[:-1], siblings[number + 1].key.value)
            return rest.bom + insert_before(rest, sibling, bare)
        return None  # between blank lines: neither neighbour says where it stood


class Ruamel:
    """ruamel.yaml, round trip, as it comes."""

    name = "ruamel.yaml"

    def _yaml(self, text: str) -> YAML:
        return YAML()

    def null(self, text: str) -> str:
        yaml = self._yaml(text)
        return self._dumped(text, yaml, yaml.load(text))

    def _dumped(self, text: str, yaml: YAML, data: Any) -> str:
        out = StringIO()
        yaml.dump(data, out)
        return out.getvalue()

    def edit(self, text: str, edit: Edit) -> str:
        yaml = self._yaml(text)
        data = yaml.load(text)
        make(data, edit)
        return self._dumped(text, yaml, data)


class TunedRuamel(Ruamel):
    """The same with everything that can be told to it: width, quotes, indents by vote, null, line endings."""

    name = "ruamel.yaml, tuned"

    def _yaml(self, text: str) -> YAML:
        yaml = YAML()
        yaml.width = 4096
        yaml.preserve_quotes = True
        yaml.explicit_start = bool(re.search(r"^---", text, re.MULTILINE))
        mapping, sequence, offset = _indents(text)
        yaml.indent(mapping=mapping, sequence=sequence, offset=offset)
        spelling = Counter(re.findall(r":[ ]+(null|~|Null|NULL)[ ]*(?:#.*)?$", text, re.MULTILINE)).most_common(1)
        if spelling:
            yaml.representer.add_representer(
                type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", spelling[0][0])
            )
        return yaml

    def _dumped(self, text: str, yaml: YAML, data: Any) -> str:
        new = super()._dumped(text, yaml, data)
        return new.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in text else new


def _indents(text: str) -> tuple[int, int, int]:
    steps: Counter[int] = Counter()
    offsets: Counter[int] = Counter()
    above = None
    for line in text.splitlines():
        column, bare = len(line) - len(line.lstrip(" ")), line.lstrip(" ")
        if not bare or bare.startswith("#"):
            continue
        if above is not None and bare.startswith("- ") and column >= above:
            offsets[column - above] += 1
        elif above is not None and column > above:
            steps[column - above] += 1
        above = column if re.match(r"[^#]*:[ ]*(#.*)?$", bare) and not bare.startswith("- ") else None
    step = steps.most_common(1)[0][0] if steps else 2
    offset = offsets.most_common(1)[0][0] if offsets else 0
    return step, offset + 2, offset


class YamlEdit:
    """yaml-edit, which splices too."""

    name = "yaml-edit"

    def null(self, text: str) -> str:
        return str(_yaml_edit().parse(text))

    def edit(self, text: str, edit: Edit) -> str:
        file = _yaml_edit().parse(text)
        root = file.document()
        if edit.kind == "set":
            _descended(root, edit.path[:-1]).set(edit.path[-1], edit.value)
        elif edit.kind == "delete":
            _descended(root, edit.path[:-1]).remove(edit.path[-1])
        elif edit.kind == "move":
            value = _descended(root, edit.path[:-1]).get(edit.path[-1])
            _descended(root, edit.to).set(edit.path[-1], value)
            _descended(root, edit.path[:-1]).remove(edit.path[-1])
        else:
            _descended(root, edit.path[: edit.path.index(NEW)]).set(NEW, nested(edit))
        return str(file)


def _yaml_edit() -> Any:
    import yaml_edit  # noqa: PLC0415 - only this comparison needs it

    return yaml_edit.YamlFile


def _descended(node: Any, path: Path) -> Any:
    node = node.as_mapping() if not path or not isinstance(path[0], int) else node.as_sequence()
    for step, following in zip(path, (*path[1:], "")[: len(path)], strict=True):
        found = node.get(step)
        node = (
            found.as_sequence()
            if isinstance(following, int) and not isinstance(following, bool)
            else found.as_mapping()
        )
    return node


EDITORS = (Ours(), Ruamel(), TunedRuamel(), YamlEdit())
