"""What the person at the keyboard can put right: one clear message and its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.printable import printable
from schema.printable import shortened
from schema.secrets import starred

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schema.place import Place


class InputError(Exception):
    """A file cannot be read: it is not there, a directory, a binary file, or too large.

    Attributes:
        rule: what findings call it.
        message: what is wrong, with the smallest fix where there is one.
        place: where it is wrong, if it is wrong in a file.
    """

    rule = "unreadable-file"

    def __init__(self, message: str, place: Place | None = None, lines: Iterable[str] = ()) -> None:
        # Values of a file stand in messages: none of them breaks the line, or shows a secret.
        self.message = "\n".join(printable(starred(shortened(line))) for line in (message, *lines))
        self.place = place
        super().__init__(f"{printable(str(place))}: {self.message}" if place else self.message)


class YamlError(InputError):
    """A file is no YAML, or none that means one thing: a syntax error, a duplicate key, several documents.

    ms-swift reads YAML with PyYAML's safe_load (4.5.2, cli/main.py:50), which silently keeps the last of two equal
    keys. A preset is one document, and a mapping.
    """

    rule = "invalid-yaml"


class ExtendsError(InputError):
    """A preset cannot be resolved: `extends` names no file of the project, or the files form a circle.

    Flat YAML neither extends nor is extended: ms-swift makes an argument of each of its keys (4.5.2,
    cli/main.py:60 parse_yaml_args).
    """

    rule = "unresolved-base"


class HalfError(InputError):
    """A file has the name of a server's half, x.rollout.yaml, and no learner's half x.yaml is beside it."""

    rule = "missing-half"


class ProjectError(InputError):
    """The table [tool.rollout-split] of pyproject.toml cannot be read, or holds what it may not."""

    rule = "invalid-project"


class NoPresetError(InputError):
    """A file that was named is no GRPO preset; in a hook, or in a folder, it is passed over."""

    rule = "no-preset"


class InternalError(Exception):
    """A defect of this tool or a broken installation; the commands report it and exit with 3."""
