"""What the catalogue says of one release: its options, and the errors when it cannot say."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import TypeAlias

from schema.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping

Scalar: TypeAlias = "str | int | float | bool | None"

REQUIRED = "<required>"
FACTORY = "<factory>"


class Field(NamedTuple):
    """One option of a dataclass, as ms-swift's command-line parser takes it.

    Attributes:
        name: The option's name.
        kind: What the parser makes of one value: "bool", "int", "float", "str", "choice", or "json" for
            a dict that may be given as text.
        many: Whether the parser takes one or more values.
        nullable: Whether None is a value: an Optional annotation, or a default of None.
        choices: The values of a Literal or an Enum; empty for any other kind.
        default: The literal default, or ``REQUIRED``, or ``FACTORY`` where it is no literal.
        annotation: The type as the source writes it, with normalised whitespace.
        declared_by: The name of the class whose definition wins.
    """

    name: str
    kind: str
    many: bool
    nullable: bool
    choices: tuple[Scalar, ...]
    default: object
    annotation: str
    declared_by: str

    @property
    def unset(self) -> object:
        """What the option is where nothing sets it; None also where the source gives no literal."""
        return None if self.default in (REQUIRED, FACTORY) else self.default


class Release(NamedTuple):
    """The options of one ms-swift release.

    Attributes:
        version: The ms-swift release.
        transformers: The transformers release whose training arguments ``trainer`` includes.
        trainer: The fields of RLHFArguments, the inherited ones included.
        server: The fields of RolloutArguments.
        reward_funcs: The names of the built-in reward functions.
        vllm: The newest vLLM release that the README recommends.
    """

    version: str
    transformers: str
    trainer: Mapping[str, Field]
    server: Mapping[str, Field]
    reward_funcs: tuple[str, ...]
    vllm: str

    def since(self, version: str) -> bool:
        """Whether the release is this one or a newer one."""
        return _is_since(self.version, version)


@lru_cache(maxsize=1024)
def _is_since(release: str, version: str) -> bool:
    return order(release) >= order(version)


@lru_cache(maxsize=1024)
def order(version: str) -> tuple[int, ...]:
    """A sort key of a release: the numbers in its name.

    `packaging` would sort 4.5.2.dev1 before 4.5.2, whose arguments it has.
    """
    return tuple(map(int, re.findall(r"\d+", version)))


class CatalogueError(InternalError):
    """The catalogue's own data cannot be used."""


class UnknownReleaseError(CatalogueError):
    """The release is not catalogued.

    Attributes:
        nearest: The catalogued release closest to the one asked for.
    """

    def __init__(self, package: str, version: str, nearest: str) -> None:
        super().__init__(f"{package} {version} is not catalogued; the nearest catalogued release is {nearest}")
        self.nearest = nearest
