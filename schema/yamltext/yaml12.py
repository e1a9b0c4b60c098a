"""Scalars that YAML 1.1 (PyYAML, so ms-swift) and YAML 1.2 (editors, other tools) read differently."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from math import inf
from math import isfinite
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from schema.pyyaml import yaml
from schema.yamltext.document import remembered
from schema.yamltext.nodes import Alias
from schema.yamltext.nodes import Mapping
from schema.yamltext.nodes import Node
from schema.yamltext.nodes import Scalar

if TYPE_CHECKING:
    from schema.yamltext.document import Document

#: What readers raise of a text, and what they let escape: of a date such as 2024-13-40, of `!!bool x`.
ESCAPES = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    NotImplementedError,
    RecursionError,
)
UNREADABLE = (yaml.YAMLError, *ESCAPES)

#: Scalars of a file that YAML 1.2 is asked about: each takes it a third of a millisecond.
MOST_ASKED = 5000
# Spellings that both read alike, so that ruamel.yaml (20 ms to import) is asked only about the others.
_ALIKE = re.compile(
    r"""
      -?(?:0|[1-9][0-9]*)                              # decimal integers
    | -?[0-9]+\.[0-9]+(?:[eE][-+][0-9]+)?              # floats with a point, a signed exponent
    | [0-9]+(?:\.[0-9]+){2,} | [0-9]+(?:,[0-9]+)+     # addresses, lists of GPUs
    | \.\.?/[^\n]*                                   # relative paths
    | ~ | (?!(?i:y|n|yes|no|on|off)\Z)(?:[^\W\d]|[/$])[^\n]*     # words, but for the booleans of YAML 1.1
    | (?s:.*\n.*)                                      # several paragraphs: a text to both
    |                                                # nothing: null to both
    """,
    re.VERBOSE,
)


class Difference(NamedTuple):
    """A plain scalar that the two readers disagree on.

    Attributes:
        scalar: the scalar, with what YAML 1.1 makes of it.
        other: what YAML 1.2 makes of it.
        whole: the value in a mapping that the scalar is, or is an item of; the scalar itself where it is a key.
    """

    scalar: Scalar
    other: object
    whole: Node


@remembered
def differing(document: Document) -> list[Difference]:
    """Plain scalars of a file that the two readers disagree on."""
    if document.root is None or all(map(is_alike, document.plain)):
        return []
    unsure = _unsure(document.root, document.root)
    asked = ((scalar, as_yaml12(scalar.text), whole) for scalar, whole in islice(unsure, MOST_ASKED))
    return [Difference(*each) for each in asked if not same(each[0].value, each[1])]


def _unsure(node: Node, whole: Node) -> list[tuple[Scalar, Node]]:
    if isinstance(node, Scalar):
        return [(node, whole)] if node.style is None and not is_alike(node.text) and node.plain else []
    if isinstance(node, Alias):
        return []
    if isinstance(node, Mapping):
        return [each for entry in node.entries for part in entry for each in _unsure(part, part)]
    return [each for item in node.items for each in _unsure(item, whole)]


@lru_cache(maxsize=1024)
def is_alike(text: str) -> bool:
    """Whether both certainly read a plain scalar alike."""
    # Files say the same things again and again.
    return _ALIKE.fullmatch(text) is not None


def same(left: Any, right: Any) -> bool:  # noqa: ANN401 - plain data of any kind
    """Whether plain data is equal in values and types; NaN equals itself, the order of keys does not count."""
    kind = type(left)
    if kind is not type(right):
        return False
    if kind is dict:
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if kind is list:
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right or left != left)  # noqa: PLR0124 - NaN


@lru_cache(maxsize=1024)
def as_yaml12(text: str) -> object:
    """What a YAML 1.2 reader makes of a plain scalar."""
    from ruamel.yaml import YAML  # noqa: PLC0415 - costs 20 ms, and most files never need it
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    try:
        return YAML(typ="safe", pure=True).load(f"- {text}")[0]
    except (YAMLError, *ESCAPES):
        return text


def float_text(number: float) -> str:
    """A float as both YAML versions read it: with a point, and a signed exponent."""
    if not isfinite(number):
        return {inf: ".inf", -inf: "-.inf"}.get(number, ".nan")
    text = repr(number)
    mantissa, mark, exponent = text.partition("e")
    if not mark:
        return text
    point = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{point}e{exponent}"
