"""Links that leave docs/: the site shows them as paths of the repository, or leads to where that is published.

`ROLLOUT_SPLIT_REPOSITORY` is the URL below which the files of the repository are shown.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
_OUTWARD = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#]+)\)")


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """A page for the site.

    Raises:
        FileNotFoundError: a link leads to no file of the repository.
    """
    folder = Path("docs", page.file.src_uri).parent
    return _OUTWARD.sub(lambda link: _link(folder, link), markdown)


def _link(folder: Path, link: re.Match[str]) -> str:
    text, path = link[1], normpath(f"{folder}/{link[2]}")
    if path.startswith("docs/"):
        return link[0]
    if not (ROOT / path).exists():
        raise FileNotFoundError(path)
    home = os.environ.get("ROLLOUT_SPLIT_REPOSITORY")
    return f"[{text}]({home.rstrip('/')}/{path})" if home else f"`{path}`"
