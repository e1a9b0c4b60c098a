"""A disk that keeps, when the power is cut, what was synced, and of the rest whatever it likes.

It is harder than any file system: names of one folder that were changed after its last sync survive in any
combination, and content that was not synced is cut off anywhere.
"""

import os
import stat
from pathlib import Path

from tests.migrate.writing.faults import interposed


class Inode:
    """A file without a name: what was written to it, and when."""

    def __init__(self, content=b"", written=-1):
        self.content, self.written = content, written


class Trace:
    """What was done to a folder, call by call.

    Attributes:
        steps: kind, file and other file of each call that changed something or made a change durable.
    """

    def __init__(self, root):
        self.root, self.steps, self._open = root, [], {}
        self._names = {path: Inode(path.read_bytes()) for path in root.rglob("*") if path.is_file()}
        self._before = dict(self._names)
        self._folders = {root, *(path for path in root.rglob("*") if path.is_dir())}

    def record(self, run):
        """Runs something, and remembers what it does."""
        with interposed(self._act):
            run()

    def _act(self, number, name, real, *args):
        done = real(*args)
        if name == "open":
            self._opened(Path(args[0]), args[1], done)
        elif name == "write":
            inode = self._open[args[0]]
            inode.content += bytes(args[1][:done])
            inode.written = len(self.steps)
            self.steps.append(("write", inode, None))
        elif name == "fsync":
            self.steps.append(("sync", self._open[args[0]], None))
        elif name in {"link", "replace", "unlink", "mkdir", "rmdir"}:
            self._renamed(name, *map(Path, args))
        return done

    def _opened(self, path, flags, handle):
        if flags & os.O_CREAT:
            self._names[path] = Inode()
            self.steps.append(("enter", path, self._names[path]))
        self._open[handle] = path if stat.S_ISDIR(os.fstat(handle).st_mode) else self._names[path]

    def _renamed(self, name, path, to=None):
        if name == "link":
            self._names[to] = self._names[path]
            self.steps.append(("enter", to, self._names[path]))
            return
        if name == "replace":
            self._names[to] = self._names.pop(path)
        self.steps.append((name, path, to))

    def cut(self, step, chance, root):
        """Makes a folder what the disk holds when the power is cut before a step."""
        names, folders = dict(self._before), set(self._folders)
        for number, (kind, path, other) in enumerate(self.steps[:step]):
            if kind in _ENTRIES and (self._is_synced(path.parent, number, step) or chance.random() < 0.5):
                _ENTRIES[kind](names, folders, path, other)
        for path in sorted(folders):
            copy = root / path.relative_to(self.root)
            if copy.parent.is_dir():  # a folder is lost with all that is in it
                copy.mkdir(exist_ok=True)
        for path, inode in names.items():
            copy = root / path.relative_to(self.root)
            if copy.parent.is_dir():
                copy.write_bytes(self._content(inode, step, chance))

    def _is_synced(self, what, since, step):
        return any(kind == "sync" and synced == what for kind, synced, _ in self.steps[since:step])

    def _content(self, inode, step, chance):
        if inode.written < 0 or self._is_synced(inode, inode.written, step):
            return inode.content
        return inode.content[: chance.randint(0, len(inode.content))]


def _replace(names, folders, path, to):
    if path in names:
        names[to] = names.pop(path)


#: What a call does to the names of a disk.
_ENTRIES = {
    "enter": lambda names, folders, path, inode: names.update({path: inode}),
    "replace": _replace,
    "unlink": lambda names, folders, path, _: names.pop(path, None),
    "mkdir": lambda names, folders, path, _: folders.add(path),
    "rmdir": lambda names, folders, path, _: folders.discard(path),
}
