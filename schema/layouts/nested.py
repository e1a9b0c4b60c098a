"""The nested layout: sections of ms-swift arguments, and what the training repository owns."""

from __future__ import annotations

import json
from functools import cached_property
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from schema.alike import alike
from schema.layouts.preset import OTHER_ALGORITHMS
from schema.layouts.preset import Kind
from schema.layouts.preset import Preset
from schema.layouts.preset import Setting
from schema.place import made
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.swift import argument
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.swift.roles import role_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.catalogue import Field
    from schema.place import Place
    from schema.resolve import Leaf
    from schema.resolve import Tree

#: Sections of ms-swift arguments, in the order in which they are flattened: a later one wins.
ARGUMENT_SECTIONS = ("model", "quantization", "data", "template", "tuner", "training", "rlhf")
#: Everything that may stand at the top level.
TOP_LEVEL = ("extends", "global_max_length", *ARGUMENT_SECTIONS, "custom", "prompts", "deepspeed")
#: Where the rollout server's launch settings stand.
SERVER_BLOCK = ("custom", "extra", "rollout_server")
#: All keys that the section `deepspeed` may have.
DEEPSPEED_KEYS = ("enabled", "config")

#: Keys in ms-swift sections that the training repository takes out before ms-swift sees them.
REPOSITORY_KEYS = {
    "training": ("save_delay_steps", "save_delay_epochs", "save_last_epoch", "effective_batch_size"),
    "rlhf": ("llm_kd_weight",),
}

_MODEL = ("model", "model")

_TRAINING = ("run_name", "output_dir", "logging_dir", "num_train_epochs", "learning_rate", "vit_lr", "aligner_lr")
#: Keys that the training repository cannot do without.
REQUIRED = (_MODEL, *(("training", name) for name in _TRAINING), ("rlhf", "rlhf_type"), ("template",), ("custom",))

#: Keys of the top level that are no sections.
NO_SECTIONS = ("extends", "global_max_length")
#: Sections of arguments that messages name, where it is not `rlhf`.
_HOMES = {
    **dict.fromkeys(("model", "attn_impl", "torch_dtype"), "model"),
    **dict.fromkeys(("eval_strategy", "max_steps"), "training"),
    **dict.fromkeys(("dataset", "val_dataset"), "data"),
    "quant_method": "quantization",
}


#: Roles of the fields that no other tool has.
_OF_ROLLOUTS = (Role.CONNECT, Role.SERVER, Role.COLOCATE)
_TELLING = ("rlhf", "rlhf_type", "num_generations", "reward_funcs")


@lru_cache(maxsize=4096)
def _is_of_rollouts(name: str) -> bool:
    if name.startswith("vllm_") or role_of(name) in _OF_ROLLOUTS:
        return True
    return bool(alike(name, _TELLING, 0.75))


class Nested(Preset):
    """A preset in the nested layout."""

    layout = "nested"
    top_level = TOP_LEVEL
    server_steps = SERVER_BLOCK

    @cached_property
    def is_of_rollouts(self) -> bool:
        """Whether it has the section or a field of rollouts, or a name that is nearly one of them."""
        names = chain(self.tree.children, (setting.name for setting in self.settings()))
        return self.block is not None or any(map(_is_of_rollouts, map(str, names)))

    @cached_property
    def kind(self) -> Kind:
        """What the file is, judged by its sections and `rlhf.rlhf_type`."""
        if not (self.is_of_rollouts or any(section in self.tree.children for section in TOP_LEVEL)):
            return Kind.FOREIGN
        algorithm = self.tree.value("rlhf", "rlhf_type")
        if algorithm is not None:
            return Kind.OTHER if algorithm in OTHER_ALGORITHMS else Kind.GRPO
        if self.tree.find("model", "model") is None or self.tree.find("training") is None:
            return Kind.COMPONENT
        return Kind.GRPO if self.tree.find("rlhf") or self.is_of_rollouts else Kind.OTHER

    @cached_property
    def explicit_mode(self) -> object:
        """The value of `rlhf.vllm_mode`, or None if it is unset."""
        return self.tree.value("rlhf", "vllm_mode")

    @cached_property
    def block(self) -> Tree | None:
        """`custom.extra.rollout_server`, or None."""
        return self.tree.find(*SERVER_BLOCK)

    def settings(self) -> Iterator[Setting]:
        """Every key that is set in an ms-swift section, in the order in which they are flattened."""
        return iter(self._settings)

    @cached_property
    def _settings(self) -> tuple[Setting, ...]:
        found = []
        for section in ARGUMENT_SECTIONS:
            branch = self.tree.find(section)
            for name, tree in branch.children.items() if isinstance(branch, Branch) else ():
                if (value := data(tree)) is not None:
                    found.append(made(Setting, (section, str(name), value, tree.place, tree.key)))
        return tuple(found)

    def owned_keys(self, section: str) -> list[str]:
        """Those that all training repositories own, and those that the project names."""
        return [*REPOSITORY_KEYS.get(section, ()), *super().owned_keys(section)]

    def mistake(self, field: Field, value: object) -> str | None:
        """Also a type that only a word may have: the loader of this layout passes values as keywords."""
        return argument.problem(field, value) or argument.mistyped(field, value)

    @cached_property
    def shared(self) -> dict[str, object]:
        """The learner's values of all fields that both sides act on, so that the sides cannot disagree."""
        values = {name: self.value(name) for name in fields(Role.BOTH)}
        return {name: value for name, value in values.items() if value is not None}

    def path(self, name: str) -> str:
        """The dotted path in the section that the argument belongs to."""
        return f"{_HOMES.get(name, 'rlhf')}.{name}"

    def listed(self, value: object) -> str:
        """As a list: the loader of this layout passes values as keywords, so that types count."""
        return json.dumps([value])

    def server_path(self, name: str = "") -> str:
        """The dotted path in the server's block."""
        return ".".join(filter(None, (*SERVER_BLOCK, name)))

    @property
    def learner_path(self) -> str:
        """The section of GRPO arguments."""
        return "rlhf"

    def missing(self) -> Iterator[tuple[str, Place]]:
        """The dataset, and the keys that training repositories of this layout read unconditionally."""
        if not self.value("dataset"):
            dataset = self.arguments.get("dataset")
            yield self.path("dataset"), dataset.place if dataset else self.start
        for path in REQUIRED:
            if self.tree.find(*path) is None or (path == _MODEL and not self.value("model")):
                section = self.tree.find(path[0])
                yield ".".join(path), section.key if isinstance(section, Branch) else self.start

    @property
    def limit(self) -> Tree | None:
        """`global_max_length`."""
        return self.tree.find("global_max_length")

    @property
    def effective_batch_size(self) -> Leaf | None:
        """`training.effective_batch_size`."""
        return self.tree.leaf("training", "effective_batch_size")

    @property
    def deepspeed(self) -> Setting | None:
        """`deepspeed.config` if `deepspeed.enabled`, else what a section passes."""
        section = self.tree.find("deepspeed")
        if not isinstance(section, Branch) or section.value("enabled") is not True:
            return super().deepspeed
        holder, value = section.find("config") or section, section.value("config")
        return Setting("deepspeed", "config", value, holder.place if value is not None else holder.key, holder.key)

    @property
    def brings_data(self) -> bool:
        """Whether `custom` names data, which only training repositories read."""
        return any(self.tree.find("custom", name) for name in ("train_jsonl", "jsonl"))
