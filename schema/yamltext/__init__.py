"""YAML text as parse events see it: nodes with exact spans, and the data PyYAML makes of them."""

from schema.yamltext.document import Document
from schema.yamltext.document import content_of
from schema.yamltext.document import decoded
from schema.yamltext.document import parse
from schema.yamltext.document import read
from schema.yamltext.nodes import Alias
from schema.yamltext.nodes import Entry
from schema.yamltext.nodes import Mapping
from schema.yamltext.nodes import Node
from schema.yamltext.nodes import Scalar
from schema.yamltext.nodes import Sequence
from schema.yamltext.nodes import Span

__all__ = [
    "Alias",
    "Document",
    "Entry",
    "Mapping",
    "Node",
    "Scalar",
    "Sequence",
    "Span",
    "content_of",
    "decoded",
    "parse",
    "read",
]
