"""Models whose validators were made ahead of time: pydantic takes longer to import than a preset to check.

The classes under `schema/models/`, and the settings of a project, say what is right. `python -m tools.ahead`
writes down what pydantic makes of them for pydantic-core, which checks values here as there, in the same words.
"""

from __future__ import annotations

import json
from functools import cache
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from typing import Any
from typing import Generic
from typing import TypeVar
from typing import cast

from schema.core import SchemaError
from schema.core import SchemaValidator

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping

    from pydantic_core import CoreSchema

#: What the validators are made of, by the name of the model.
FILE = Path(__file__).with_suffix(".json")
#: The modules of the classes, by name.
MODELS = {
    "TrainerConfig": "schema.models.trainer",
    "ColocateTrainerConfig": "schema.models.trainer",
    "RolloutServerConfig": "schema.models.server",
    "RolloutServerBlock": "schema.models.server",
    "Settings": "schema.resolve.settings",
}
M_co = TypeVar("M_co", covariant=True)


@cache
def _written() -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return made


class Ahead(Generic[M_co]):
    """A model without its class: what it makes of values has the attributes of an instance, and no more of it.

    Attributes:
        name: the name of the class.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def _made(self) -> dict[str, Any]:
        return _written()[self.name]

    @cached_property
    def fields(self) -> Mapping[str, Mapping[str, Any]]:
        """What pydantic-core knows of each field."""
        fields: dict[str, dict[str, Any]] = self._made["schema"]["fields"]
        return fields

    @cached_property
    def defaults(self) -> Mapping[str, Any]:
        """The defaults of the fields that need no value."""
        schemas = {name: field["schema"] for name, field in self.fields.items()}
        return {name: schema["default"] for name, schema in schemas.items() if "default" in schema}

    @cached_property
    def _validate(self) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """What checks values; the class does, where pydantic-core has come to want another form."""
        try:
            validator = SchemaValidator(cast("CoreSchema", self._made["schema"]), self._made["config"])
        except SchemaError:
            return self._by_the_class
        return lambda values: cast("dict[str, Any]", validator.validate_python(values)[0])

    def _by_the_class(self, values: dict[str, Any]) -> dict[str, Any]:
        model = getattr(import_module(MODELS[self.name]), self.name)
        return dict(model.model_validate(values))

    def validated(self, values: Mapping[str, object]) -> M_co:
        """A model of values.

        Raises:
            pydantic_core.ValidationError: some of them are not right, missing or unknown.
        """
        return self._of(self._validate(dict(values)))

    def constructed(self, values: Mapping[str, object]) -> M_co:
        """A model of values that are right; a field that needs a value and has none is missing from it."""
        return self._of({**self.defaults, **values})

    @staticmethod
    def _of(values: dict[str, Any]) -> M_co:
        return cast("M_co", SimpleNamespace(**values))
