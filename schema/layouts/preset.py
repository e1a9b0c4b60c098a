"""A whole preset: what ms-swift gets of it on both sides, whatever layout spells it."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod
from dataclasses import dataclass
from enum import Enum
from functools import cache
from functools import cached_property
from typing import TYPE_CHECKING
from typing import ClassVar
from typing import NamedTuple

from schema import secrets
from schema.place import Place
from schema.resolve.tree import Branch
from schema.resolve.tree import Leaf
from schema.resolve.tree import data
from schema.swift import argument
from schema.swift.variables import NODES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from schema.catalogue import Field
    from schema.resolve import Project
    from schema.resolve import Resolved
    from schema.resolve import Tree
    from schema.split.gpus import Gpus

#: What rlhf_type may be besides grpo (ms-swift 4.5.2, arguments/rlhf_args.py:232); any other is a mistake.
OTHER_ALGORITHMS = ("dpo", "orpo", "simpo", "kto", "cpo", "rm", "ppo", "gkd")


class Kind(Enum):
    """What a file is."""

    GRPO = "a GRPO preset"
    COMPONENT = "a component that presets extend"
    OTHER = "a preset of another algorithm"
    FOREIGN = "a file without any section of a preset"
    BROKEN = "a script that no shell reads"


class Setting(NamedTuple):
    """One ms-swift argument: the section that won ("" where there are none), name, value, and both places."""

    section: str
    name: str
    value: object
    place: Place
    key: Place

    @property
    def steps(self) -> tuple[str, ...]:
        """The keys that lead to the argument in the preset."""
        return (self.section, self.name) if self.section else (self.name,)

    @property
    def path(self) -> str:
        """The dotted path of the argument in the preset."""
        return ".".join(self.steps)


class Asked:
    """Whether anybody asked for what only a shell knows.

    Attributes:
        value: for an argument that is set to such a value.
        absent: for one that is not set, though words of the call may bring it.
    """

    def __init__(self) -> None:
        self.value = False
        self.absent = False


_NOTHING = Asked()  # such a preset has no unknown argument, and so nothing ever changes this


#: What makes the learner connect to a server.
ADDRESSES = ("vllm_server_host", "vllm_server_base_url")


@dataclass(frozen=True, eq=False)
class Preset(ABC):
    """A resolved preset with the project it belongs to; a layout is a subclass.

    Attributes:
        layout: the layout's name.
        top_level: the only keys that may stand at the top level, or () where every ms-swift argument may.
        apart: whether the server reads a file of its own, which repeats what both sides act on.
        server_steps: the keys that lead to the server's settings in their file.
    """

    layout: ClassVar[str]
    top_level: ClassVar[tuple[str, ...]] = ()
    apart: ClassVar[bool] = False
    server_steps: ClassVar[tuple[str, ...]] = ()

    resolved: Resolved
    project: Project

    @property
    def tree(self) -> Branch:
        """The merged values with their places."""
        return self.resolved.tree

    @property
    def trees(self) -> tuple[Branch, ...]:
        """All that the preset says, in both files where there are two."""
        return (self.tree,)

    @cached_property
    def secrets(self) -> secrets.Known:
        """The values of all its secrets."""
        return secrets.known(*map(data, self.trees))

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """What the file is."""

    @property
    def is_of_rollouts(self) -> bool:
        """Whether the file says anything of GRPO or of rollouts, so that it is no other tool's."""
        return self.kind is Kind.GRPO

    @property
    def called(self) -> str:
        """What the file is, for messages."""
        return self.kind.value

    @property
    def runs(self) -> tuple[Preset, ...]:
        """What of the file is checked by itself: all of it, unless it starts several learners."""
        return (self,)

    @property
    def unknown(self) -> Mapping[str, object]:
        """Arguments and variables of either side that are set, though nobody here knows to what."""
        return {}

    def noting(self, names: Iterable[str]) -> Asked:  # noqa: ARG002 - a layout may have such arguments
        """Forgets what was asked so far, counts some arguments as asked, and returns what later ones change."""
        return _NOTHING

    def is_silent(self, place: Place) -> bool:  # noqa: ARG002 - a layout may have such places
        """Whether a place is commented out, so that what is wrong there is a warning at most."""
        return False

    @cached_property
    def explicit_mode(self) -> object:
        """The value of vllm_mode, or None if it is unset."""
        return self.value("vllm_mode")

    @cached_property
    def mode(self) -> object:
        """vllm_mode; where it is unset, what use_vllm and an address make it, or None without vLLM.

        Before 3.11.1 ms-swift settles it so (3.11.0, llm/argument/rlhf_args.py:353 _init_rollout); later releases
        ask for it, of which vllm-mode-unset speaks, and no other rule needs to guess.
        """
        if self.explicit_mode is not None or argument.truth(self.value("use_vllm")) is not True:
            return self.explicit_mode
        return self.implied_mode

    @property
    def implied_mode(self) -> object:
        """vllm_mode, or what an address makes it; also of a base, which need not say whether vLLM generates."""
        has_address = any(self.value(name) is not None for name in ADDRESSES)
        return self.explicit_mode or ("server" if has_address else "colocate")

    def mistake(self, field: Field, value: object) -> str | None:
        """What is wrong with a value for an argument, or None if ms-swift takes it."""
        return argument.problem(field, value)

    @property
    @abstractmethod
    def block(self) -> Tree | None:
        """The rollout server's own settings, or None if the preset has no place for them."""

    @abstractmethod
    def settings(self) -> Iterator[Setting]:
        """Every ms-swift argument of the learner that is set, in the order in which they are flattened."""

    @cached_property
    def passed(self) -> tuple[Setting, ...]:
        """The settings that ms-swift gets, of one name maybe several: without those that the repository owns."""
        owned = cache(self.owned_keys)
        return tuple([setting for setting in self.settings() if setting.name not in owned(setting.section)])

    @cached_property
    def arguments(self) -> dict[str, Setting]:
        """What the learner gets, by name: repository-owned keys and nulls taken out."""
        return {setting.name: setting for setting in self.passed}

    def owned(self, setting: Setting) -> bool:
        """Whether the training repository takes a key out before ms-swift sees it."""
        return setting.name in self.owned_keys(setting.section)

    def owned_keys(self, section: str) -> list[str]:
        """The keys of a section that the training repository takes out."""
        return self.project.settings.repository_keys.get(section, [])

    def value(self, name: str) -> object:
        """The value of an ms-swift argument, or None if it is unset."""
        setting = self.arguments.get(name)
        return None if setting is None else setting.value

    def null(self, name: str) -> Place | None:
        """Where null unsets an ms-swift argument, or None."""
        sections = (self.tree, *(tree for tree in self.tree.children.values() if isinstance(tree, Branch)))
        found = (section.children.get(name) for section in sections)
        return next((tree.place for tree in found if isinstance(tree, Leaf) and tree.value is None), None)

    @property
    def shared(self) -> Mapping[str, object]:
        """What the server gets besides its own settings of what both sides act on; none if its file repeats it."""
        return {}

    def served(self, name: str) -> object:
        """What the server gets for an argument: its own value, else the one that both sides share, or None."""
        own = self.server_value(name)
        return self.shared.get(name) if own is None else own

    def server_value(self, name: str) -> object:
        """What the server's own settings say, also in a preset that is not in server mode."""
        block = self.block
        return block.value(name) if isinstance(block, Branch) else None

    def engine(self, name: str) -> object:
        """What the engine that generates gets for an argument: the server's, else the learner's own."""
        return self.served(name) if self.mode == "server" else self.value(name)

    @property
    def engine_kwargs(self) -> dict[str, object]:
        """What that engine gets unread, in vllm_engine_kwargs; nothing where it is no mapping."""
        return argument.mapping(self.engine("vllm_engine_kwargs")) or {}

    @abstractmethod
    def path(self, name: str) -> str:
        """Where an argument of the learner belongs, as messages name it."""

    @abstractmethod
    def listed(self, value: object) -> str:
        """How a list of one value is written."""

    @abstractmethod
    def server_path(self, name: str = "") -> str:
        """Where a setting of the server belongs, or all of them, as messages name it."""

    @property
    @abstractmethod
    def learner_path(self) -> str:
        """Where arguments of the learner belong, as messages name it."""

    @abstractmethod
    def missing(self) -> Iterator[tuple[str, Place]]:
        """What the preset cannot do without and lacks: its path, and where it belongs."""

    @property
    def limit(self) -> Tree | None:
        """Tokens that prompt and completion may have together, where the layout has a key for it."""
        return None

    @property
    def effective_batch_size(self) -> Leaf | None:
        """Completions of one optimizer step, where the layout has a key for it."""
        return None

    @property
    def deepspeed(self) -> Setting | None:
        """The DeepSpeed configuration that the learner gets."""
        return self.arguments.get("deepspeed")

    @property
    def learners(self) -> Gpus | None:
        """The learner's GPUs, where the preset itself says how many learners there are."""
        return None

    @property
    def learners_source(self) -> str:
        """What says how many learners there are, for messages."""
        return ""

    @property
    def rollout_gpus(self) -> Gpus | None:
        """The server's GPUs, where the preset itself names them."""
        return None

    def variables(self, side: str) -> Mapping[str, str]:  # noqa: ARG002 - a layout may have some
        """The environment variables that the preset itself sets for a side, server or learner."""
        return {}

    @property
    def nodes_wanted(self) -> str:
        """NNODES of the learner's own variables, as text; torchrun takes 1 where it is unset."""
        return self.variables("learner").get(NODES, "1")

    @property
    def brings_data(self) -> bool:
        """Whether the preset names data that only a training repository reads."""
        return False

    @property
    def start(self) -> Place:
        """Where the leaf begins: the place of what is missing from it."""
        return Place(self.resolved.path)
