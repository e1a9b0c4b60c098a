"""What a server's launcher leaves for learners on the same node: who it is, where it listens, its GPUs."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Claim:
    """A running server, as its launcher describes it.

    Attributes:
        launcher: process id of the launcher; the claim holds while that process lives.
        host: where it listens.
        port: where it listens.
        model: what it serves.
        gpus: the GPUs that it uses.
        digest: of its command line, to tell one set of settings from another.
    """

    launcher: int
    host: str
    port: int
    model: str
    gpus: tuple[str, ...]
    digest: str

    def to_json(self) -> str:
        """The claim as the text of its file."""
        return json.dumps(asdict(self))


def folder() -> Path:
    """Where claims of this user lie."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"rollout-split-{os.getuid()}"


def claim_file(port: int) -> Path:
    """The file of the claim on a port."""
    return folder() / f"server-{port}.json"


def claims() -> Iterator[Claim]:
    """The claims whose launchers live; others are leftovers, and do not count."""
    for file in sorted(folder().glob("server-*.json")):
        claim = _read(file)
        if claim is not None and alive(claim.launcher):
            yield claim


def _read(file: Path) -> Claim | None:
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        return Claim(**said | {"gpus": tuple(said["gpus"])})
    except (OSError, ValueError, TypeError, KeyError):  # half-written, or another tool's
        return None


def alive(pid: int) -> bool:
    """Whether a process of this user lives."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError, OverflowError):
        return False
    return pid > 0
