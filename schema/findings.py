"""What a rule has to say about a preset."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING
from typing import NamedTuple

if TYPE_CHECKING:
    from schema.place import Place


class Severity(Enum):
    """An error fails the check; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Finding(NamedTuple):
    """One thing that is wrong with a preset, or with the machine it is to run on.

    Attributes:
        rule: the id of the rule that found it.
        severity: error or warning.
        place: the value that is wrong, in the file that set it.
        message: what is wrong, with the values that show it.
        consequence: what ms-swift or vLLM would have done with it.
        fix: the smallest change that mends it.
    """

    rule: str
    severity: Severity
    place: Place
    message: str
    consequence: str = ""
    fix: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the finding fails the check."""
        return self.severity is Severity.ERROR
