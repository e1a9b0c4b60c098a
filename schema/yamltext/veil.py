"""The text of a document without its secrets; every line stays where it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schema.secrets import HIDDEN
from schema.secrets import is_secret
from schema.yamltext.nodes import Alias
from schema.yamltext.nodes import Mapping
from schema.yamltext.nodes import Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.yamltext.document import Document
    from schema.yamltext.nodes import Node
    from schema.yamltext.nodes import Span

_LINE = r"[^\r\n\x85\u2028\u2029]+"


def veiled(document: Document) -> str:
    """The text with every value of a secret name starred."""
    text, parts, here = document.text, [], 0
    for span in sorted(_spans(document.root, secret=False)):
        parts += [text[here : span.start], re.sub(_LINE, HIDDEN, text[span.start : span.end])]
        here = span.end
    return "".join([*parts, text[here:]])


def _spans(node: Node | None, *, secret: bool) -> Iterator[Span]:
    if isinstance(node, Scalar):
        if secret and node.span.end > node.span.start:
            yield node.span
    elif isinstance(node, Mapping):
        for entry in node.entries:
            name = entry.key.text if isinstance(entry.key, Scalar) else ""
            yield from _spans(entry.value, secret=secret or is_secret(name))
    elif node is not None and not isinstance(node, Alias):
        for item in node.items:
            yield from _spans(item, secret=secret)
