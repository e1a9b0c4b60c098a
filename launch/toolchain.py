"""Which programs run the two sides: those on PATH, or those of the environment that the operator names."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from launch.machine import software
from schema.errors import InputError

if TYPE_CHECKING:
    from launch.options import Request


@dataclass(frozen=True)
class Toolchain:
    """How to call ms-swift.

    Attributes:
        swift: the words that stand for `swift`.
        torchrun: the words that stand for `torchrun`.
        python: the interpreter that runs this side, or None where nothing tells.
    """

    swift: tuple[str, ...] = ("swift",)
    torchrun: tuple[str, ...] = ("torchrun",)
    python: str | None = None

    def program(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """A command of a plan, with its first word replaced."""
        return {"swift": self.swift, "torchrun": self.torchrun}[argv[0]] + argv[1:]


def toolchain(request: Request) -> Toolchain:
    """The programs that the operator means.

    `--swift` names a console script, and its environment is that of the Python which runs it; `--python` names
    the interpreter itself, and wins for what has no script of its own.

    Raises:
        InputError: there is no such program, or nothing tells which Python runs it where that must be known.
    """
    script = _found("swift", request.swift)
    python = _found("python", request.python) or (script and software.interpreter(script))
    if script is None and python is None:
        own = "torchrun" if request.side != "server" else "swift"
        return Toolchain(python=software.interpreter(own))
    if python is None and request.side != "server":
        raise InputError(f"--swift {script}: nothing in it tells which Python runs it; --python PATH names that")
    swift = (script,) if script else (str(python), "-m", "swift.cli.main")
    torchrun = (python, "-m", "torch.distributed.run") if python else ("torchrun",)
    return Toolchain(swift, torchrun, python)


def _found(key: str, said: str | None) -> str | None:
    if said is None:
        return None
    if shutil.which(said) is None:
        raise InputError(f"--{key} {said}: there is no such program")
    return said
