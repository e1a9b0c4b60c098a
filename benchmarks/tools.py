"""The commands that are timed, by the environments that they are installed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_ROUND_TRIP = """
import sys
from ruamel.yaml import YAML
yaml = YAML()
for name in sys.argv[1:]:
    with open(name) as file:
        yaml.dump(yaml.load(file), sys.stdout)
"""


class Tools:
    """Command lines for files, ours and those of others.

    Attributes:
        upstream: the Python of an environment with ms-swift, or None where there is none.
    """

    def __init__(self, ours: Path, peers: Path, upstream: Path, json_schema: Path) -> None:
        self._ours = ours
        self._peers = peers
        self._schema = json_schema
        self.upstream = upstream / "python" if (upstream / "python").exists() else None

    def ours(self, command: str, *words: object) -> list[str]:
        """One of our commands."""
        return [str(self._ours / command), *map(str, words)]

    def python(self, program: str) -> list[str]:
        """A program for the Python that our commands run in."""
        return self.ours("python", "-c", program)

    def readers(self, files: list[Path]) -> dict[str, list[str]]:
        """Everything that reads YAML files, validate-config first."""
        names = list(map(str, files))
        return {
            "validate-config": self.ours("validate-config", *names),
            "yamllint": [str(self._peers / "yamllint"), *names],
            "check-jsonschema": [str(self._peers / "check-jsonschema"), "--schemafile", str(self._schema), *names],
            "check-yaml": [str(self._peers / "check-yaml"), *names],
            "ruamel.yaml round trip": [str(self._peers / "python"), "-c", _ROUND_TRIP, *names],
        }

    def shellcheck(self, files: list[Path]) -> list[str]:
        """What reads shell scripts."""
        return [str(self._peers / "shellcheck"), *map(str, files)]

    def swift(self) -> dict[str, list[str]]:
        """ms-swift's parser of arguments: what a start waits for before it can refuse one."""
        program = "from swift.arguments import RLHFArguments"
        return {"ms-swift's arguments": [str(self.upstream), "-c", program]} if self.upstream else {}
