"""Which settings a finding rests on, and which file makes it: a base that is right by itself is never at fault."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.findings import Related
from schema.place import shown
from schema.resolve.tree import Branch
from schema.secrets import HIDDEN
from schema.secrets import is_secret
from schema.swift import argument

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from schema.findings import Finding
    from schema.layouts.preset import Preset
    from schema.place import Place
    from schema.resolve import Tree
    from schema.resolve import Workspace

#: Names of settings in a message; a word without a low line may be one of the sentence.
_NAME = r"\b[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b"
#: How messages name some settings for short.
_SHORT = {
    r"\b(?:server|colocate) mode\b": "vllm_mode",
    r"\bTP\b": "vllm_tensor_parallel_size",
    r"\bDP\b": "vllm_data_parallel_size",
    r"\bprompt and completion\b": "global_max_length",
}
#: What numbers in messages are made of, where no rule names it.
_FACTORS = (
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "effective_batch_size",
    "steps_per_generation",
    "generation_batch_size",
    "num_generations",
    "max_completion_length",
    "max_length",
    "global_max_length",
)
#: Settings of one name, and of one finding, that are told.
_ALIKE, _MOST = 2, 6
#: Characters of a value that are told.
_LONGEST = 60


class Settings:
    """What a preset sets, by name and by place."""

    def __init__(self, preset: Preset) -> None:
        self._named: dict[str, list[Tree]] = {}
        self._names: dict[Place, str] = {}
        self._hidden: set[Place] = set()
        for tree in preset.trees:
            for name, below, secret in _walk(tree, secret=False):
                self._named.setdefault(name, []).append(below)
                for place in (below.place, below.key):
                    self._names.setdefault(place, name)
                    if secret:
                        self._hidden.add(place)

    def is_secret(self, place: Place) -> bool:
        """Whether a secret, or a part of one, stands at a place."""
        return place in self._hidden

    def hide(self, place: Place) -> None:
        """Takes what the key at a place sets for a secret."""
        trees = self._at(self._names.get(place, ""))
        self._hidden |= {each for tree in trees for each in (tree.place, tree.key)}

    def place_in(self, file: Path, names: Iterable[str]) -> Place | None:
        """Where a file sets the first of some settings, or None."""
        found = (_shown(tree) for name in names for tree in self._at(name) if tree.place.file == file)
        return next(found, None)

    def _at(self, name: str) -> list[Tree]:
        return self._named.get(name, [])

    def related(self, finding: Finding) -> tuple[Related, ...]:
        """The settings that a finding is about, or that its message names, in full or as TP, DP and a mode."""
        short = [name for pattern, name in _SHORT.items() if re.search(pattern, finding.message)]
        mentioned = [self._names.get(finding.place, ""), *re.findall(_NAME, finding.message), *short]
        found = (
            Related(_told(name, tree, secret=self.is_secret(tree.place)), _shown(tree))
            for name in dict.fromkeys(mentioned)
            for tree in self._at(name)[:_ALIKE]
        )
        return tuple(dict.fromkeys(found))[:_MOST]


def _shown(tree: Tree) -> Place:
    """Where a setting is told to stand: a mapping begins behind the line of its key."""
    return tree.key if isinstance(tree, Branch) else tree.place


def _walk(branch: Branch, *, secret: bool) -> Iterator[tuple[str, Tree, bool]]:
    for key, tree in branch.children.items():
        hidden = secret or is_secret(str(key))
        if isinstance(tree, Branch):
            yield from _walk(tree, secret=hidden)
        yield str(key), tree, hidden


def _told(name: str, tree: Tree, *, secret: bool) -> str:
    if isinstance(tree, Branch):
        return name
    text = HIDDEN if secret else "null" if tree.value is None else argument.text(tree.value)
    return f"{name} {text if len(text) <= _LONGEST else f'{text[:_LONGEST]}...'}"


class Alone(NamedTuple):
    """What a file is by itself, whatever extends it.

    Attributes:
        whole: whether it is a whole preset, of which all rules are asked.
        found: rules and places of its findings.
    """

    whole: bool = False
    found: AbstractSet[tuple[str, Place]] = frozenset()


def blamed(  # noqa: PLR0913, PLR0917 - what was found, and all that judges it
    finding: Finding,
    preset: Preset,
    settings: Settings,
    reads: Iterable[str],
    workspace: Workspace,
    alone: Callable[[Path], Alone],
) -> Finding:
    """The finding where the combination is made that is wrong.

    A finding in a base stays there if the base has it by itself, or if the base is only a part of presets and all
    that it rests on stands there. Else it belongs to the first file whose bases and own settings make it.

    Args:
        finding: with the settings that it rests on.
        preset: the preset that was checked.
        settings: its settings.
        reads: names that the finding's rule cannot do without.
        workspace: reads the files.
        alone: judges a file by itself.
    """
    base, files = finding.place.file, preset.resolved.files
    if preset.apart or base == preset.resolved.path:
        return finding
    if not alone(base).whole and all(related.place.file == base for related in finding.related):
        return finding
    found = finding.rule, finding.place
    maker = next((file for file in files if found in alone(file).found), preset.resolved.path)
    if maker == base:
        return finding
    here = f"{shown(base)} is right by itself, so change {shown(maker)}, where null unsets a base's value"
    fix = f"{finding.fix}; {here}" if finding.fix else here
    own = next((related.place for related in finding.related if related.place.file == maker), None)
    place = own or settings.place_in(maker, [*reads, *_FACTORS]) or _extends(workspace.tree(maker))
    return finding._replace(place=place, fix=fix, edits=())


def _extends(tree: Branch) -> Place:
    """Where a file brings others together."""
    extends = tree.find("extends")
    return extends.place if extends else tree.place
