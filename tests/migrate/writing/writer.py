"""What the tests of writing share: files to write, and what a tree looks like."""

import stat

from migrate.writing import Change
from migrate.writing import locked


def change(path, new):
    """A change from what is there now."""
    return Change(path, path.read_bytes() if path.exists() else None, new)


def write(contents):
    """Writes contents by path, as migrate-config --write does; None is for a file that goes."""
    with locked(contents, alone=True) as session:
        session.write([change(path, content) for path, content in contents.items()])


def recover(*paths):
    """What the next call with --write does before it plans."""
    with locked(paths, alone=True):
        pass


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def state(folder):
    """Every name below a folder, with its mode and what it is."""
    return {str(path.relative_to(folder)): (mode(path), _what(path)) for path in folder.rglob("*")}


def _what(path):
    if path.is_symlink():
        return str(path.readlink())
    return path.read_bytes() if path.is_file() else None


def new(paths):
    """What tests write: new text for each."""
    return {path: f"new {path.stem}\n".encode() for path in paths}
