"""The files of one call, each read once; text that is not written yet can stand in for a file."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from schema.resolve.project import find_project
from schema.resolve.tree import of_document
from schema.shelltext import is_script
from schema.yamltext import Document
from schema.yamltext import content_of
from schema.yamltext import decoded
from schema.yamltext import parse
from schema.yamltext import read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from schema.resolve.project import Project
    from schema.resolve.tree import Branch


#: What spells letters in quotes, maybe those of a key: escapes with a number, and an escaped end of a line.
_SPELT = re.compile(rb"\\(?:[xuU]|[^ -~])")


class Workspace:
    """Reads and remembers documents.

    Attributes:
        overlay: content by absolute path that counts instead of the file's, None for a file that is to go, so
            that a migration can be validated before anything is written.
    """

    def __init__(self, overlay: Mapping[Path, bytes | None] | None = None) -> None:
        self.overlay = dict(overlay or {})
        # A file may have several names, by symbolic links.
        self._instead = {os.path.realpath(path): content for path, content in self.overlay.items()}
        self._documents: dict[Path, Document] = {}
        self._projects: dict[Path, Project] = {}

    def has(self, path: Path) -> bool:
        """Whether a file is there, or text that stands in for it."""
        real = self._overlaid(path)
        if real is not None:
            return self._instead[real] is not None
        return path in self._documents or path.is_file()

    def content(self, path: Path) -> bytes:
        """The bytes of a file; raises what yamltext.read raises of one that cannot be read."""
        real = self._overlaid(path)
        return content_of(path) if real is None else self._instead[real] or b""

    def may_extend(self, path: Path) -> bool:
        """Whether a file could name bases: cheaper to ask than to parse every file of a project.

        Raises:
            InputError: it cannot be read.
        """
        content = self.content(path)
        return b"extends" in content or (b"\\" in content and _SPELT.search(content) is not None)

    def document(self, path: Path) -> Document:
        """The parsed file, of a script the text alone; raises what yamltext.read raises."""
        if path not in self._documents:
            self._documents[path] = self._read(path)
        return self._documents[path]

    def _read(self, path: Path) -> Document:
        if is_script(path):
            return Document(path, decoded(path, self.content(path)), "", None)
        real = self._overlaid(path)  # whoever reads what is to go has not asked `has`
        return read(path) if real is None else parse(path, self._instead[real] or b"")

    def project(self, path: Path) -> Project:
        """The project of a file, looked for once a folder; raises what find_project raises."""
        folder = path.parent
        if folder not in self._projects:
            self._projects[folder] = find_project(path)
        return self._projects[folder]

    def forget(self, path: Path) -> None:
        """Lets go of a file that was read; should anything ask for it again, it is read again."""
        self._documents.pop(path, None)

    def _overlaid(self, path: Path) -> str | None:
        """The name by which the overlay has a file, or None if it has not."""
        real = os.path.realpath(path) if self._instead else ""
        return real if real in self._instead else None

    def tree(self, path: Path) -> Branch:
        """The file's values with their places, before any merging; raises what tree.of_document raises."""
        return of_document(self.document(path))

    def glance(self, path: Path) -> Branch:
        """The same of a file that may never be asked for again, so that it is not remembered."""
        return of_document(self._documents.get(path) or self._read(path))
