"""The programs that run the two sides: those on PATH, or those of the environment that the operator names."""

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
    """The commands for `swift` and `torchrun`, and the interpreter that runs this side, None if it is unknown."""

    swift: tuple[str, ...] = ("swift",)
    torchrun: tuple[str, ...] = ("torchrun",)
    python: str | None = None

    def program(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """The command of a plan, with its first word replaced."""
        return {"swift": self.swift, "torchrun": self.torchrun}[argv[0]] + argv[1:]


def toolchain(request: Request) -> Toolchain:
    """The programs that the operator means.

    `--swift` names a console script, and its environment is that of the Python which runs it; `--python` names
    the interpreter itself, and wins for what has no script of its own.

    Raises:
        InputError: there is no such program, or its interpreter is unknown but needed.
    """
    script = _existing("swift", request.swift)
    python = _existing("python", request.python) or (script and software.interpreter(script))
    if script is None and python is None:
        default = "torchrun" if request.side != "server" else "swift"
        return Toolchain(python=software.interpreter(default))
    if python is None and request.side != "server":
        raise InputError(f"--swift {script}: the script does not name the Python that runs it; pass --python PATH")
    swift = (script,) if script else (str(python), "-m", "swift.cli.main")
    torchrun = (python, "-m", "torch.distributed.run") if python else ("torchrun",)
    return Toolchain(swift, torchrun, python)


def _existing(key: str, program: str | None) -> str | None:
    if program is None:
        return None
    if shutil.which(program) is None:
        raise InputError(f"--{key} {program}: there is no such program")
    return program
