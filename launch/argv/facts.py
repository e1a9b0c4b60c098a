"""What a rollout server is started with, and how it differs from the one that a preset means."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.argv.arguments import address
from launch.argv.arguments import server_arguments
from schema import secrets
from schema.errors import InputError
from schema.models.strict import StrictModel
from schema.swift import argument
from schema.swift.address import group
from schema.swift.variables import DISTRIBUTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context

#: Variables that the launcher's options set, whatever a preset says.
_SETTLED = ("CUDA_VISIBLE_DEVICES", *DISTRIBUTED)
#: Characters of two values that a message still quotes.
_LONGEST = 400


class ServerFacts(StrictModel):
    """What identifies a rollout server.

    Attributes:
        host: where it listens.
        port: where it listens.
        group_port: where weights are synchronised.
        tensor_parallel_size: GPUs per engine.
        data_parallel_size: engines.
        vllm_max_model_len: tokens of a prompt and its completion, or None for the model's own limit.
        model: what it serves, as any working directory would find it.
        settings: its arguments and its own variables, by name; secrets are starred.
        digest: of the settings with their secrets.
    """

    host: str
    port: int
    group_port: int
    tensor_parallel_size: int
    data_parallel_size: int
    vllm_max_model_len: int | None
    model: str
    settings: dict[str, str]
    digest: str

    @property
    def world_size(self) -> int:
        """TP x DP."""
        return self.tensor_parallel_size * self.data_parallel_size


class Difference(NamedTuple):
    """A setting that a server and a preset do not share; None is a value that is not set there."""

    name: str
    server: str | None
    preset: str | None

    @property
    def _is_quotable(self) -> bool:
        text = f"{self.server}{self.preset}"
        return len(text) <= _LONGEST and secrets.HIDDEN not in text

    def __str__(self) -> str:
        """The difference for a message about the server; long values and secrets are not quoted."""
        if not self._is_quotable:
            return f"its {self.name} is not the preset's"
        if self.server is None:
            return f"it has no {self.name}, and the preset says {shlex.quote(self.preset or '')}"
        preset = "does not set it" if self.preset is None else f"says {shlex.quote(self.preset)}"
        return f"its {self.name} is {shlex.quote(self.server)}, and the preset {preset}"

    @property
    def revert(self) -> str:
        """How a fix begins that changes the preset back; empty where the server's value is not quoted."""
        is_told = self.server is not None and self._is_quotable
        return f"set {self.name} to {shlex.quote(self.server or '')}, or " if is_told else ""


def server_facts(context: Context) -> ServerFacts:
    """What a preset starts its server with.

    Raises:
        InputError: the preset names no address for it, or has no settings of it.
    """
    if context.server is None or not context.server.complete:
        raise InputError("has no settings of a server that could be started", context.at("vllm_mode"))
    config, model = context.server.config, resolved_model(str(context.preset.served("model")))
    given = server_arguments(context) | {"model": model} | own_variables(context, "server")
    settings = {name: argument.text(value) for name, value in given.items()}
    return ServerFacts(
        **address(context)._asdict(),
        group_port=group(context),
        model=model,
        tensor_parallel_size=config.vllm_tensor_parallel_size,
        data_parallel_size=config.vllm_data_parallel_size,
        vllm_max_model_len=config.vllm_max_model_len,
        settings={name: str(secrets.hidden(value, name)) for name, value in settings.items()},
        digest=hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16],
    )


def own_variables(context: Context, side: str) -> dict[str, str]:
    """The variables of the preset's own ENV, without those that the launcher's options set."""
    return {name: value for name, value in context.preset.variables(side).items() if name not in _SETTLED}


def differences(server: ServerFacts, preset: ServerFacts) -> Iterator[Difference]:
    """Each setting of a running server that differs from what the preset would start now."""
    if server.digest == preset.digest:
        return
    names = preset.settings | server.settings
    pairs = [Difference(name, server.settings.get(name), preset.settings.get(name)) for name in names]
    different = [pair for pair in pairs if pair.server != pair.preset]
    yield from different or [Difference("secret", secrets.HIDDEN, secrets.HIDDEN)]


def resolved_model(model: str) -> str:
    """A model as any working directory would find it: one path names two models in two checkouts of a project."""
    return os.path.realpath(model) if Path(model).exists() else model
