"""What the models have in common: strict types, no unknown keys, no mutation."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic import ConfigDict


class StrictModel(BaseModel):
    """A frozen model that coerces nothing and forbids keys it does not know.

    Defaults are those of the newest catalogued release; schema/models/parse.py puts the target release's in their
    place.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        use_attribute_docstrings=True,
        protected_namespaces=(),
        defer_build=True,
    )
