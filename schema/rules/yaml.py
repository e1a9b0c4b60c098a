"""Rules about the YAML text itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.findings import Severity
from schema.place import Place
from schema.rules.base import Problem
from schema.rules.base import rule
from schema.rules.types import readings
from schema.rules.types import wrong_server_type
from schema.rules.types import wrong_type
from schema.yamltext.yaml12 import float_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context


@rule("yaml-versions", severity=Severity.WARNING, components=True)
def yaml_versions(context: Context) -> Iterator[Problem]:
    """A plain scalar that YAML 1.1 and YAML 1.2 read differently.

    ms-swift reads YAML 1.1 (PyYAML; ms-swift 4.5.2, cli/main.py:48), editors and most other tools YAML 1.2:
    `1e-6` is a string in YAML 1.1 and a number in YAML 1.2, `on` a boolean in YAML 1.1 and a string in YAML 1.2.
    Where that gives an argument a wrong type, only wrong-type reports it.
    """
    if not context.misread:
        return
    reported = {problem.place for check in (wrong_type, wrong_server_type) for problem in check(context)}
    for whole, differences in context.misread.items():
        for found in differences if whole not in reported else ():
            place = Place(whole.file, *found.scalar.span[2:])
            yield Problem(place, readings(found), fix=_spelling(found.scalar.value, found.other))


def _spelling(value: object, other: object) -> str:
    if isinstance(value, str) and isinstance(other, float):
        return f"write {float_text(other)} for the number, or quote it for the text"
    return "quote it, or write it so that both read the same"
