"""Arguments of ms-swift as properties of a JSON Schema: type, choices, default, and what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple
from typing import TypeAlias

from schema import catalogue
from schema.editors.values import nullable
from schema.models.strict import descriptions
from schema.swift import argument
from schema.swift import choices
from schema.swift.renamed import DEPRECATED
from schema.swift.renamed import RENAMED
from schema.swift.roles import ROLES
from schema.swift.roles import WRONG_PLACES
from schema.swift.roles import Role
from schema.swift.roles import fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Mapping

    from schema.catalogue import Field
    from schema.catalogue import Release
    from schema.catalogue.model import Scalar
    from schema.models.strict import StrictModel

Schema: TypeAlias = dict[str, Any]


class Side(NamedTuple):
    """The arguments that one place of a preset takes.

    Attributes:
        swift: the release, as messages name it.
        fields: the arguments of that release.
        models: the models that have some of them; the first one that does counts.
        takes: what makes the schema of the values of an argument.
        strays: the roles of those that have no business there, or not always.
        choices: by argument, the only values that GRPO takes; none, if it refuses the argument.
    """

    swift: str
    fields: Mapping[str, Field]
    models: tuple[type[StrictModel], ...]
    takes: Callable[[Side, Field], Schema]
    strays: Collection[Role] = ()
    choices: Mapping[str, tuple[str, ...]] = {}

    def only(self, field: Field) -> tuple[Scalar, ...] | None:
        """The only values of an argument, or None if there is no list of them."""
        return self.choices.get(field.name, field.choices or None)

    def model(self, name: str) -> type[StrictModel] | None:
        """The model that has an argument, or None."""
        return next((model for model in self.models if name in model.model_fields), None)


def of_grpo(release: Release) -> dict[str, tuple[str, ...]]:
    """Of some arguments of the learner, the only values that GRPO takes."""
    refused = (*fields(Role.REFUSED), *argument.UNPASSABLE)
    return dict.fromkeys(refused, ()) | {
        "rlhf_type": ("grpo",),
        "loss_type": choices.taken(release.since, choices.LOSSES),
        "lr_scheduler_type": choices.taken(release.since, choices.SCHEDULES),
        "eval_strategy": choices.EVALUATIONS,
    }


def properties(side: Side) -> dict[str, Schema]:
    """Every argument by name, and the old names of some, each with the new one."""
    known = {name: side.takes(side, field) | _about(side, field) for name, field in side.fields.items()}
    old = {name: new for name, new in RENAMED.items() if new in known and name not in known}
    return known | {name: _renamed(side, new) for name, new in old.items()}


def _about(side: Side, field: Field) -> Schema:
    old = {"deprecated": True} if DEPRECATED.get(field.name) in side.fields else {}
    default = {} if field.unset is None else {"default": field.unset}
    return {"description": _description(side, field.name)} | default | old


def _description(side: Side, name: str) -> str:
    row, model = ROLES.get(name), side.model(name)
    sentences = [(descriptions(model).get(name) if model else None) or catalogue.descriptions()[name]]
    if DEPRECATED.get(name) in side.fields:
        sentences.append(f"Old name of {DEPRECATED[name]}.")
    if row is not None and row.role in side.strays:
        mode = "in server mode " if row.role is Role.SERVER else ""
        place = f"{mode}{WRONG_PLACES[row.role]}"
        sentences.append(f"{place[0].upper()}{place[1:]} it {row.misplaced.value}.")
    return " ".join(sentences)


def _renamed(side: Side, new: str) -> Schema:
    # A null counts as unset, whatever its name. The messages are keywords that yaml-language-server alone knows.
    message = f"{side.swift} calls it {new}"
    return nullable({}) | {"deprecated": True, "deprecationMessage": message, "errorMessage": message}
