"""The whole preset, nested layout: sections of ms-swift arguments, and what the training repository owns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.resolve.tree import Branch
from schema.resolve.tree import data

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.place import Place
    from schema.resolve import Project
    from schema.resolve import Resolved
    from schema.resolve import Tree

#: Sections of ms-swift arguments, in the order in which they are flattened: a later one wins.
ARGUMENT_SECTIONS = ("model", "quantization", "data", "template", "tuner", "training", "rlhf")
#: Everything that may stand at the top level.
TOP_LEVEL = ("extends", "global_max_length", *ARGUMENT_SECTIONS, "custom", "prompts", "deepspeed")
#: Where the rollout server's launch settings stand.
SERVER_BLOCK = ("custom", "extra", "rollout_server")

#: Keys in ms-swift sections that the training repository takes out before ms-swift sees them.
REPOSITORY_KEYS = {
    "training": ("save_delay_steps", "save_delay_epochs", "save_last_epoch", "effective_batch_size"),
    "rlhf": ("llm_kd_weight",),
}

#: What rlhf_type may be besides grpo (ms-swift 4.5.2, arguments/rlhf_args.py:232); any other is a mistake.
OTHER_ALGORITHMS = ("dpo", "orpo", "simpo", "kto", "cpo", "rm", "ppo", "gkd")


class Kind(Enum):
    """What a file is."""

    GRPO = "a GRPO preset"
    COMPONENT = "a component that presets extend"
    OTHER = "a preset of another algorithm"
    FOREIGN = "a file without any section of a preset"


class Setting(NamedTuple):
    """One ms-swift argument: the section that won, its name, its value, and where both stand."""

    section: str
    name: str
    value: object
    place: Place
    key: Place

    @property
    def path(self) -> str:
        """The dotted path of the argument in the preset."""
        return f"{self.section}.{self.name}"


@dataclass(frozen=True)
class Preset:
    """A resolved preset with the project it belongs to."""

    resolved: Resolved
    project: Project

    @property
    def tree(self) -> Branch:
        """The merged values with their places."""
        return self.resolved.tree

    @cached_property
    def kind(self) -> Kind:
        """What the file is, judged by its sections and `rlhf.rlhf_type`."""
        if not any(section in self.tree.children for section in TOP_LEVEL):
            return Kind.FOREIGN
        algorithm = self.tree.value("rlhf", "rlhf_type")
        if algorithm is not None:
            return Kind.OTHER if algorithm in OTHER_ALGORITHMS else Kind.GRPO
        if self.tree.find("model", "model") is None or self.tree.find("training") is None:
            return Kind.COMPONENT
        return Kind.GRPO if self.tree.find("rlhf") else Kind.OTHER

    @cached_property
    def mode(self) -> object:
        """The value of `rlhf.vllm_mode`, or None if it is unset."""
        return self.tree.value("rlhf", "vllm_mode")

    @cached_property
    def block(self) -> Tree | None:
        """The rollout server's block, or None."""
        return self.tree.find(*SERVER_BLOCK)

    @cached_property
    def arguments(self) -> dict[str, Setting]:
        """What ms-swift gets: sections flattened, repository-owned keys and nulls taken out."""
        return {setting.name: setting for setting in self.settings() if not self.owned(setting)}

    def settings(self) -> Iterator[Setting]:
        """Every key that is set in an ms-swift section, in the order in which they are flattened."""
        for section in ARGUMENT_SECTIONS:
            branch = self.tree.find(section)
            if isinstance(branch, Branch):
                for name, tree in branch.children.items():
                    if data(tree) is not None:
                        yield Setting(section, str(name), data(tree), tree.place, tree.key)

    def owned(self, setting: Setting) -> bool:
        """Whether the training repository owns a key."""
        named = self.project.settings.repository_keys.get(setting.section, [])
        return setting.name in REPOSITORY_KEYS.get(setting.section, ()) or setting.name in named

    def value(self, name: str) -> object:
        """The value of an ms-swift argument, or None if it is unset."""
        setting = self.arguments.get(name)
        return setting.value if setting else None

    @property
    def start(self) -> Place:
        """Where the leaf begins: the place of what is missing from it."""
        return self.tree.place._replace(file=self.resolved.path, line=1, column=1)
