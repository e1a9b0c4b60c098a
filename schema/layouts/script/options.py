"""From the words of a call to its arguments, as ms-swift's argparse sorts them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from schema.resolve.tree import Leaf
from schema.swift import argument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from schema.catalogue import Field
    from schema.place import Place
    from schema.shelltext.words import Word

_YAML = (".yaml", ".yml", ".json")
#: The arguments of the script: options, as a rule.
_REST = re.compile(r"\$\{?[@*]")


@dataclass
class Options:
    """The arguments of one call.

    Attributes:
        given: their values by name: a text, or a list of several.
        unknown: by name, what only a shell knows of their values.
        open: words of which a shell may make any arguments, such as `"$@"`.
        bare: names without the value that they need, with their places.
        twice: names that stand again later, with the places of the first ones.
        stray: words that belong to no option.
        config: the file that the call reads its arguments from, if it does.
    """

    given: dict[str, Leaf] = field(default_factory=dict)
    unknown: dict[str, Word] = field(default_factory=dict)
    open: list[Word] = field(default_factory=list)
    bare: list[tuple[str, Place]] = field(default_factory=list)
    twice: list[tuple[str, Place]] = field(default_factory=list)
    stray: list[Word] = field(default_factory=list)
    config: Word | None = None


def options(words: Sequence[Word], fields: Mapping[str, Field]) -> Options:
    """Sorts the words of a call.

    Of an option that stands twice argparse takes the last; a boolean without a value is true, and `--no_x` sets
    one that is true by default (transformers 5.12.1, hf_argparser.py:151-250). A file in front is read first
    (ms-swift 4.5.2, cli/main.py:38), or behind --config before 4.1.0.
    """
    found = Options()
    rest = list(words)
    if rest and rest[0].text.endswith(_YAML) and not rest[0].text.startswith("-"):
        found.config = rest.pop(0)
    name, key, values = "", None, list["Word"]()
    for word in rest:
        option = _option(word)
        if option is not None:
            _keep(found, fields, name, key, values)
            name, key, values = _name(option[0], fields), word, option[1]
        elif key is None or (word.open and _is_full(fields.get(name), values)):
            (found.open if word.open else found.stray).append(word)
        else:
            if word.open and (values or _REST.match(word.unknown)):
                found.open.append(word)
            values.append(word)
    _keep(found, fields, name, key, values)
    if (file := found.given.get("config")) is not None and "config" not in fields:
        found.config = next((word for word in rest if word.place == file.place), rest[0])
    return found


def _option(word: Word) -> tuple[str, list[Word]] | None:
    name, equals, value = word.text.partition("=")
    if word.unknown and (word.unknown in name or name.startswith(word.unknown)):
        return None
    if equals and argument.is_option(name):
        place = word.place._replace(column=word.place.column + len(name) + 1)
        return name, [word._replace(text=value, place=place, open=False)]
    return (word.text, []) if argument.is_option(word.text) else None


def _name(option: str, fields: Mapping[str, Field]) -> str:
    name = option.removeprefix("--")
    underscored = name.replace("-", "_")
    aliases = "_" not in name and (underscored in fields or underscored.removeprefix("no_") in fields)
    return underscored if aliases else name


def _is_full(known: Field | None, values: Sequence[Word]) -> bool:
    return bool(values) and (known is None or not known.many)


def _keep(
    found: Options, fields: Mapping[str, Field], name: str, key: Word | None, values: Sequence[Word]
) -> None:
    if key is None:
        return
    texts = [value.text for value in values]
    positive = fields.get(name.removeprefix("no_"))
    if name not in fields and positive is not None and positive.default is True and not texts:
        name, texts = positive.name, ["false"]
    elif not texts and _is_flag(fields.get(name)):
        texts = ["true"]
    if name in found.given or name in found.unknown:
        before = found.given.pop(name, None)
        old = found.unknown.pop(name, None)
        found.twice.append((name, before.key if before else old.place if old else key.place))
    place = values[0].place if values else key.place
    if unknown := next((value for value in values if value.unknown), None):
        found.unknown[name] = unknown
    elif texts or name not in fields:
        found.given[name] = Leaf(texts[0] if len(texts) == 1 else texts or "", place, key.place)
    else:
        found.bare.append((name, key.place))


def _is_flag(known: Field | None) -> bool:
    # argparse takes one without a value (nargs="?"), of an optional one only where it has a default.
    if known is None or known.kind != "bool":
        return False
    return known.annotation == "bool" or isinstance(known.default, bool)
