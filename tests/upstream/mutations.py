"""Mutants of the shipped presets: each known field right, of a wrong type, out of range, misplaced and missing;
each batch number and pairs of them; and random pairs of all these. The same seed makes the same mutants.
"""

import random
from collections.abc import Callable
from collections.abc import Iterator
from copy import deepcopy
from itertools import combinations
from itertools import product
from typing import NamedTuple

from oracle import Case
from schema.catalogue import Field
from schema.catalogue import Release
from schema.preset import ARGUMENT_SECTIONS
from schema.preset import SERVER_BLOCK

SEED = 20250000
BLOCK = ".".join(SERVER_BLOCK)
MISSING = object()

#: Values that a field's kind alone does not tell.
RIGHT = {}
WRONG = {
    "bool": ("maybe", 2, [True, False]),
    "int": ("many", 1.5, [1, 2], {"a": 1}, True),
    "float": ("warm", [0.5, 0.5], {"a": 1}, True),
    "choice": ("no-such-choice", 17, {"a": 1}),
    "str": (["a", "b"], {"a": 1}),
    "json": ([1, 2], True),
}
RANGE = {"int": (-1, 0, 10**9), "float": (-0.5, 0.0, 1.5, 1e9)}

BATCH = {
    "training.per_device_train_batch_size": (1, 2, 3, 4, 8, 0, -2, MISSING),
    "training.per_device_eval_batch_size": (1, 2, 3, 4, 6, 0, -4, MISSING),
    "training.effective_batch_size": (4, 8, 12, 16, 30, 64, 0, -8, MISSING),
    "training.gradient_accumulation_steps": (1, 2, 8, 16, 0, -1),
    "rlhf.generation_batch_size": (4, 8, 12, 20, 32, 64, 0, -32, MISSING),
    "rlhf.steps_per_generation": (1, 2, 8, 16, 0, -8),
    "rlhf.num_generations": (1, 2, 3, 4, 8, 16, 0, -4, MISSING),
    "rlhf.num_generations_eval": (1, 2, 3, 8, 0, -2),
}
WORLDS = (1, 2, 3, 4, 8)


class Mutation(NamedTuple):
    """One change: where (a dotted path), and the value, or MISSING to take the key away."""

    path: str
    value: object
    sort: str

    def apply(self, data: dict) -> None:
        """Makes the change in a preset's data."""
        *folders, name = self.path.split(".") if not self.path.startswith(BLOCK) else (*SERVER_BLOCK, self.path[len(BLOCK) + 1 :])
        here = data
        for folder in folders:
            here = here.setdefault(folder, {})
        if self.value is MISSING:
            here.pop(name, None)
        else:
            here[name] = deepcopy(self.value)

    def __str__(self) -> str:
        value = "missing" if self.value is MISSING else repr(self.value)
        return f"{self.path} {self.sort}: {value}"


def mutants(base: Case, mutations) -> Iterator[Case]:
    """A case for each mutation, or for each tuple of them."""
    for mutation in mutations:
        steps = mutation if isinstance(mutation, tuple) and not isinstance(mutation, Mutation) else (mutation,)
        data = deepcopy(base.data)
        for step in steps:
            step.apply(data)
        yield base._replace(name=f"{base.name}: {' and '.join(map(str, steps))}", data=data)


SECTIONS = {
    "ModelArguments": "model",
    "QuantizeArguments": "quantization",
    "DataArguments": "data",
    "TemplateArguments": "template",
    "TunerArguments": "tuner",
}


def section(field: Field, data: dict) -> str:
    """Where a preset sets a field, or would."""
    for name in reversed(ARGUMENT_SECTIONS):
        if field.name in data.get(name, {}):
            return name
    rollout = "GRPO" in field.declared_by or "Rollout" in field.declared_by or "RLHF" in field.declared_by
    rollout |= field.declared_by in ("VllmArguments", "TeacherModelArguments", "RewardModelArguments")
    return "rlhf" if rollout else SECTIONS.get(field.declared_by, "training")


def values(field: Field) -> Iterator[tuple[str, object]]:
    """Values to try on a field, each with its sort."""
    yield from (("right", value) for value in rights(field))
    for value in WRONG[field.kind]:
        yield "wrong type", value
    for value in RANGE.get(field.kind, ()):
        yield "out of range", [value] if field.many else value


def rights(field: Field) -> tuple:
    if field.name in RIGHT:
        return RIGHT[field.name]
    if field.kind == "bool":
        return (True, False)
    if field.choices:
        found = tuple(choice for choice in field.choices if choice is not None)
    elif isinstance(field.default, list):
        return (field.default,) if field.default else ()
    else:
        found = () if field.default in (None, "<required>", "<factory>") else (field.default,)
    return tuple([value] for value in found) if field.many else found


def fields(release: Release, base: Case) -> Iterator[Mutation]:
    """Each field of the learner, then each of the server."""
    for field in release.trainer.values():
        path = f"{section(field, base.data)}.{field.name}"
        yield from (Mutation(path, value, sort) for sort, value in values(field))
        yield Mutation(f"{BLOCK}.{field.name}", next(iter(rights(field)), "x"), "wrong place")
        if field.name in base.data.get(section(field, base.data), {}):
            yield Mutation(path, MISSING, "missing")
    block = base.data["custom"]["extra"]["rollout_server"]
    for field in release.server.values():
        path = f"{BLOCK}.{field.name}"
        yield from (Mutation(path, value, sort) for sort, value in values(field))
        yield Mutation(f"rlhf.{field.name}", next(iter(rights(field)), "x"), "wrong place")
        if field.name in block:
            yield Mutation(path, MISSING, "missing")
