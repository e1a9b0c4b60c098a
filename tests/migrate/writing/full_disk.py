"""Writes on disks that really are full.

`unshare --map-root-user --mount python -m tests.migrate.writing.full_disk FOLDER` runs it at the project's root.

The disks are tmpfs with fewer and fewer pages and inodes, mounted where only this process sees them. It prints
how many writes found their disk full; a failed assertion ends it.
"""

import subprocess
import sys
from pathlib import Path

from schema.errors import InputError
from tests.migrate.writing.writer import state
from tests.migrate.writing.writer import write

OLD, NEW = b"old: 1\n" * 300, b"new: 2\n" * 1500
PAGE = 4096


def project(root):
    (root / "sub").mkdir()
    (root / "pyproject.toml").touch()
    for name in ("a.yaml", "sub/b.yaml"):
        (root / name).write_bytes(OLD)
    return state(root)


def rewrite(root):
    """Whether the disk had room for it."""
    try:
        write({root / name: NEW for name in ("a.yaml", "sub/b.yaml", "deep/c.yaml")})
    except InputError as refused:
        if refused.message == "cannot be written: no space left on device; no file was changed":
            return False
        raise
    return True


def attempt(disk, options):
    """Whether a write on a disk of a kind goes well; if not, all must be as it was."""
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    subprocess.run(mount, check=True)
    try:
        before = project(disk)
        written = rewrite(disk)
        assert written or state(disk) == before
        assert not list(disk.rglob(".*"))
        return written
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def main(disk):
    """Every size from too small up to the first that is enough."""
    full = 0
    for options in ("size={}".format, "nr_inodes={}".format):
        sizes = range(3 * PAGE, 40 * PAGE, PAGE) if options(0).startswith("size") else range(6, 40)
        for size in sizes:
            if attempt(disk, options(size)):
                break
            full += 1
        else:
            raise AssertionError("even the largest was too small")
    print(full)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
