"""What the data files say otherwise than the wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from schema.catalogue.model import Field
    from schema.catalogue.model import Release


def release_drifts(stored: Release, wheel: Release) -> Iterator[str]:
    """Yields a line for each difference between a catalogued ms-swift release and its wheel."""
    subject = f"ms-swift {stored.version}"
    for name in ("transformers", "vllm", "reward_funcs"):
        yield from _value_drift(f"{subject} {name}", getattr(stored, name), getattr(wheel, name))
    yield from fields_drifts(f"{subject} trainer", stored.trainer, wheel.trainer)
    yield from fields_drifts(f"{subject} server", stored.server, wheel.server)


def fields_drifts(subject: str, stored: Mapping[str, Field], wheel: Mapping[str, Field]) -> Iterator[str]:
    """Yields a line for each difference between catalogued options and those of a wheel."""
    for name in sorted(stored.keys() | wheel.keys()):
        if name not in wheel:
            yield f"{subject}.{name}: catalogued, but not in the wheel"
        elif name not in stored:
            yield f"{subject}.{name}: in the wheel, but not catalogued"
        else:
            yield from _field_drifts(f"{subject}.{name}", stored[name], wheel[name])


def _field_drifts(subject: str, stored: Field, wheel: Field) -> Iterator[str]:
    for part in stored._fields:
        yield from _value_drift(f"{subject} {part}", getattr(stored, part), getattr(wheel, part))


def _value_drift(subject: str, stored: object, wheel: object) -> Iterator[str]:
    """Compares by text, in which 1, 1.0 and True differ."""
    if repr(stored) != repr(wheel):
        yield f"{subject}: catalogued as {stored!r}, the wheel says {wheel!r}"
