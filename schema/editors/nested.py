"""The nested layout as JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import catalogue
from schema.editors.arguments import Side
from schema.editors.arguments import of_grpo
from schema.editors.arguments import properties
from schema.editors.values import nullable
from schema.editors.values import typed
from schema.layouts.nested import ARGUMENT_SECTIONS
from schema.layouts.nested import REPOSITORY_KEYS
from schema.layouts.nested import SERVER_BLOCK
from schema.models.server import RolloutServerBlock
from schema.models.trainer import ColocateTrainerConfig
from schema.swift.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from schema.catalogue import Release
    from schema.editors.arguments import Schema
    from schema.resolve import Project

#: What the sections are for; any argument may stand in any of them, and a later one wins.
_SECTIONS = {
    "model": "The model, and how it is loaded.",
    "quantization": "How the model is quantized when it is loaded.",
    "data": "Training and validation data.",
    "template": "How prompts are built.",
    "tuner": "What of the model learns.",
    "training": "Batches, learning rate, checkpoints and logs.",
    "rlhf": "GRPO: rollouts, rewards and loss.",
}
#: Keys that training repositories take out before ms-swift sees them.
_OWN = {
    "effective_batch_size": "Completions of one optimizer step; training repositories derive the accumulation.",
    "save_delay_steps": "Steps before which nothing is saved.",
    "save_delay_epochs": "Epochs before which nothing is saved.",
    "save_last_epoch": "Whether the last epoch is saved.",
    "llm_kd_weight": "Weight of the distillation loss of the language model.",
}
_OTHERS: dict[str, Schema] = {
    "extends": {
        "type": ["string", "array", "null"],
        "items": {"type": "string"},
        "description": "Presets that this one builds on, relative to this file; a later one wins, this file last.",
    },
    "global_max_length": {
        "type": ["integer", "null"],
        "minimum": 1,
        "description": "Tokens that prompt and completion may have together.",
    },
    "prompts": {"type": ["object", "null"], "description": "The training repository's own."},
    "deepspeed": {
        "type": ["object", "null"],
        "properties": {
            "enabled": {"type": ["boolean", "null"], "description": "Whether the learner uses DeepSpeed."},
            "config": {
                "type": ["string", "object", "null"],
                "description": "zero0 to zero3, zero2_offload, zero3_offload, a JSON file or a mapping.",
            },
        },
        "additionalProperties": False,
        "description": "DeepSpeed's settings.",
    },
}
_STRAYS = (Role.SERVER, Role.COLOCATE, Role.REFUSED, Role.DEAD)


def preset(release: Release, project: Project) -> Schema:
    """A preset, or a base that presets extend: nothing is required, for what one file lacks another may say."""
    swift = f"ms-swift {release.version}"
    learner = Side(swift, release.trainer, (ColocateTrainerConfig,), typed, _STRAYS, of_grpo(release))
    arguments = properties(learner)
    arguments |= _elsewhere(catalogue.names() - arguments.keys())
    # Of what a project takes out, whatever its name, it alone knows the type.
    taken = {key for keys in project.settings.repository_keys.values() for key in keys}
    arguments |= {key: {} for key in taken & arguments.keys()}
    sections = {name: _section(name, arguments, project) for name in ARGUMENT_SECTIONS}
    return _closed({**_OTHERS, **sections, "custom": _custom(release)}) | {
        "$defs": {
            "arguments": {"properties": arguments},
            "section": _open_to(arguments, {}),
            "elsewhere": nullable({}) | {"errorMessage": f"{swift}: nothing reads it here", "doNotSuggest": True},
        }
    }


def _section(name: str, arguments: Iterable[str], project: Project) -> Schema:
    description = {"description": _SECTIONS[name]}
    keys = (*REPOSITORY_KEYS.get(name, ()), *project.settings.repository_keys.get(name, ()))
    own = {key: {"description": _OWN[key]} if key in _OWN else {} for key in keys}
    return (_open_to(arguments, own) if own else {"$ref": "#/$defs/section"}) | description


def _open_to(arguments: Iterable[str], own: Mapping[str, Schema]) -> Schema:
    # Draft 7 closes a mapping to all that it does not name itself; the names alone are short.
    names = dict.fromkeys(arguments, True)
    return _closed({**names, **own}) | {"allOf": [{"$ref": "#/$defs/arguments"}]}


def _custom(release: Release) -> Schema:
    """What only the training repository reads, and in it the rollout server's block."""
    fields = {name: field for name, field in release.server.items() if name in RolloutServerBlock.model_fields}
    server = Side(f"ms-swift {release.version}", fields, (RolloutServerBlock,), typed)
    settings = properties(server)
    settings |= _elsewhere(release.server.keys() - settings.keys())
    block = _closed(settings) | {"description": "Settings of the rollout server."}
    extra = {"type": ["object", "null"], "properties": {SERVER_BLOCK[2]: block}}
    return {
        "type": ["object", "null"],
        "properties": {SERVER_BLOCK[1]: extra},
        "description": "The training repository's own.",
    }


def _elsewhere(names: Iterable[str]) -> dict[str, Schema]:
    """Arguments of other places and releases: a null hides what a base says, and counts as unset."""
    return {name: {"$ref": "#/$defs/elsewhere"} for name in sorted(names)}


def _closed(properties: Mapping[str, Schema | bool]) -> Schema:
    return {"type": ["object", "null"], "properties": {**properties}, "additionalProperties": False}
