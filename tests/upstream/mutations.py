"""Mutants of the shipped presets.

Each known field is right, of a wrong type, out of range, in a wrong place and missing; each batch number, and
pairs of them, on several numbers of learners; settings that exclude each other; random pairs of all these.
The same seed makes the same mutants.
"""

import random
from collections.abc import Iterable
from collections.abc import Iterator
from copy import deepcopy
from itertools import combinations
from typing import NamedTuple

from schema.catalogue import Field
from schema.catalogue import Release
from schema.layouts.nested import ARGUMENT_SECTIONS
from schema.layouts.nested import SERVER_BLOCK
from schema.models.server import RolloutServerConfig
from schema.models.trainer import ColocateTrainerConfig
from schema.swift.roles import ROLES
from tests.upstream.oracle import Case
from tests.upstream.samples import BATCH
from tests.upstream.samples import COLOCATE_SETTINGS
from tests.upstream.samples import LOOSE
from tests.upstream.samples import MISSING
from tests.upstream.samples import RANGE
from tests.upstream.samples import RIGHT
from tests.upstream.samples import SETTINGS
from tests.upstream.samples import UNSET
from tests.upstream.samples import WORLDS
from tests.upstream.samples import WRONG

SEED = 4_5_2
BLOCK = ".".join(SERVER_BLOCK)
#: Fields that this project knows more of than their type, by the side that acts on them in server mode.
ON_SERVER = {*RolloutServerConfig.model_fields, "vllm_reasoning_parser", "context_manager"}
ON_LEARNER = {*ROLES, *ColocateTrainerConfig.model_fields} - ON_SERVER
#: Where a field stands that no shipped preset sets, by the class that declares it; `rlhf` if none is named.
SECTIONS = {
    "ModelArguments": "model",
    "QuantizeArguments": "quantization",
    "DataArguments": "data",
    "TemplateArguments": "template",
    "TunerArguments": "tuner",
    "BaseArguments": "training",
    "SftArguments": "training",
    "SwanlabArguments": "training",
    "TrainArgumentsMixin": "training",
    "TrainingArguments": "training",
    "Seq2SeqTrainingArguments": "training",
}


class Mutation(NamedTuple):
    """One change: where (a section or the server's block, and a key), and the value, or MISSING."""

    place: str
    key: str
    value: object
    sort: str = "right"

    def apply(self, data: dict) -> None:
        """Makes the change in a preset's data."""
        here = data
        for folder in self.place.split("."):
            here = here.setdefault(folder, {})
        if self.value is MISSING:
            here.pop(self.key, None)
        else:
            here[self.key] = deepcopy(self.value)

    def __str__(self) -> str:
        if self.value is MISSING:
            return f"no {self.place}.{self.key}"
        return f"{self.place}.{self.key}: {self.value!r} ({self.sort})"


def mutant(base: Case, *mutations: Mutation, **changes) -> Case:
    """A case with some changes."""
    data = deepcopy(base.data)
    for mutation in mutations:
        mutation.apply(data)
    name = f"{base.name}, {changes or ''} {'; '.join(map(str, mutations))}"
    right = all(mutation.sort == "right" for mutation in mutations)
    return base._replace(name=name, data=data, right=right, **changes)


def everything(bases: dict[str, Case], release: Release) -> Iterator[Case]:
    """All mutants; the first base gets every mutation, the others a sample."""
    rng = random.Random(SEED)
    first, *others = bases.values()
    yield from (mutant(first, change) for change in known(first, release, rng))
    yield from (mutant(first, *changes) for changes in settings(SETTINGS))
    yield from batches(first, rng, pairs=6)
    yield from core(others, release, rng)
    changes = list(known(first, release, rng))
    yield from (mutant(first, *rng.sample(changes, 2)) for _ in range(200))


def core(bases: Iterable[Case], release: Release, rng: random.Random) -> Iterator[Case]:
    """The mutants of the fields that rollouts touch, in a sample, and those of the batch numbers."""
    for base in bases:
        yield base
        changes = [change for change in known(base, release, rng) if change.key in ON_LEARNER | ON_SERVER]
        yield from (mutant(base, change) for change in rng.sample(changes, 60))
        if base.rollout is None:
            yield from (mutant(base, *changes) for changes in settings(COLOCATE_SETTINGS))
        yield from batches(base, rng, pairs=1)


def known(base: Case, release: Release, rng: random.Random) -> Iterator[Mutation]:
    """Each field of the learner, then each of the server; those that a side does not act on in a sample."""
    for field in release.trainer.values():
        place = section(field, base.data)
        changes = list(_field(field, place, BLOCK, base.data.get(place, {})))
        yield from changes if field.name in ON_LEARNER else rng.sample(changes, min(2, len(changes)))
    block = base.data.get("custom", {}).get("extra", {}).get("rollout_server", {})
    for field in release.server.values():
        changes = list(_field(field, BLOCK, "rlhf", block))
        yield from changes if field.name in ON_SERVER else rng.sample(changes, min(2, len(changes)))


def _field(field: Field, place: str, elsewhere: str, there: dict) -> Iterator[Mutation]:
    right = rights(field)
    yield from (Mutation(place, field.name, value) for value in right)
    yield from (Mutation(place, field.name, value, "loose") for value in LOOSE.get(field.name, ()))
    for value in WRONG[field.kind]:
        nested = field.many and isinstance(value, list)
        yield Mutation(place, field.name, [value] if nested else value, "wrong type")
    for value in RANGE.get(field.kind, ()):
        yield Mutation(place, field.name, [value] if field.many else value, "out of range")
    if right:
        yield Mutation(elsewhere, field.name, right[0], "wrong place")
    if field.name in there:
        yield Mutation(place, field.name, MISSING, "missing")


def section(field: Field, data: dict) -> str:
    """Where a preset sets a field, or would."""
    for name in reversed(ARGUMENT_SECTIONS):
        if field.name in data.get(name, {}):
            return name
    return SECTIONS.get(field.declared_by, "rlhf")


def rights(field: Field) -> tuple:
    """Values that ms-swift takes."""
    if field.name in RIGHT:
        return RIGHT[field.name]
    found: tuple[object, ...] = tuple(choice for choice in field.choices if choice is not None)
    if field.kind == "bool":
        found = (True, False)
    elif not found:
        default = field.default[0] if isinstance(field.default, list) and field.default else field.default
        is_value = isinstance(default, int | float | str) and default not in ("<required>", "<factory>")
        found = (default,) if is_value else UNSET.get(field.kind, ())
    return tuple([value] for value in found) if field.many else found


def _mutation(path: str, value: object, sort: str = "right") -> Mutation:
    place, key = path.rsplit(".", 1)
    return Mutation(place, key, value, sort)


def settings(all_of: Iterable[dict]) -> Iterator[tuple[Mutation, ...]]:
    """Settings of several fields that ms-swift judges together."""
    for setting in all_of:
        yield tuple(_mutation(path, value) for path, value in setting.items())


def batches(base: Case, rng: random.Random, pairs: int) -> Iterator[Case]:
    """Each batch number on its own, and `pairs` mutants of each pair of them, on some numbers of learners."""
    each = {path: [_mutation(path, value, "batch") for value in BATCH[path]] for path in BATCH}
    for changes in each.values():
        yield from (mutant(base, change) for change in changes)
    for first, second in combinations(each.values(), 2):
        for _ in range(pairs):
            yield mutant(base, rng.choice(first), rng.choice(second), train=rng.choice(WORLDS))
