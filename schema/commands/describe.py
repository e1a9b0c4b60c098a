"""What the tool knows, for people and editors: rules, the split as a table, a JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from schema.check import context
from schema.check import load
from schema.check import no_grpo
from schema.checkpoint import config
from schema.checkpoint import stored
from schema.commands.validate import absolute
from schema.commands.validate import workspace_of
from schema.editors import json_schema
from schema.errors import InputError
from schema.exits import Exit
from schema.exits import warn
from schema.explained import location
from schema.explained import page_of
from schema.layouts.preset import Kind
from schema.near import Near
from schema.printable import printable
from schema.resolve import find_project
from schema.secrets import starred
from schema.shape.model import shape
from schema.split.aside import aside
from schema.split.batch import batch
from schema.split.capacity import GIB
from schema.split.capacity import engine
from schema.split.capacity import token
from schema.split.capacity import tokens
from schema.split.capacity import weights
from schema.split.gpus import server_size
from schema.split.nvidia import gpus
from schema.swift.address import Address
from schema.swift.address import connection
from schema.swift.release import doubt
from schema.swift.release import target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schema.check import Options
    from schema.context import Context
    from schema.explained import Topic
    from schema.models.server import RolloutServerConfig


def explain(name: str, groups: Mapping[str, Mapping[str, Topic]]) -> Exit:
    """Prints what a rule or a check is about and where upstream shows it, and names its page; `all` lists them.

    Args:
        name: of one, or `all`.
        groups: those that are known, by title and id.

    Raises:
        InputError: there is no such rule.
    """
    if name == "all":
        return list_rules(groups)
    known = {topic.id: topic for group in groups.values() for topic in group.values()}
    if name not in known:
        other = Near()(name, known)
        raise InputError(
            f"there is no rule {name!r}{f'; did you mean {other}?' if other else ''};"
            " `validate-config --list-rules` lists those for presets, `rollout-split explain all` also the checks"
            " of the machine"
        )
    topic = known[name]
    print(f"{topic.id} ({topic.severity.value})\n\n{topic.explanation}")
    if page := location(page_of(topic.id)):
        print(f"\nIts page is {page}")
    return Exit.OK


def list_rules(groups: Mapping[str, Mapping[str, Topic]]) -> Exit:
    """Prints each rule with its severity and what it is about, in a line."""
    width = max(len(name) for group in groups.values() for name in group)
    for title, group in groups.items():
        print(f"{title}:")
        for topic in group.values():
            print(f"  {topic.id:<{width}}  {topic.severity.value:<7}  {topic.summary}")
    return Exit.OK


def schema(subject: str, version: str | None) -> Exit:
    """Prints a JSON Schema for editors, with the keys of the project that the working directory is in.

    Args:
        subject: what of, as `schema.editors` names it.
        version: the ms-swift release, or None for the project's, else as for presets.

    Raises:
        InputError: the release is not in the catalogue, or the project's table is wrong.
    """
    project = find_project(absolute(Path("preset.yaml")))
    named = project.settings.swift_version if version is None else version
    if (warning := doubt(named)) is not None:
        warn(warning)
    print(json.dumps(json_schema(subject, target(named), project), separators=(",", ":")))
    return Exit.OK


def show_split(files: list[Path], options: Options) -> Exit:
    """Prints, for each preset, who does what on how many GPUs, and the batch arithmetic.

    Raises:
        InputError: a file cannot be read, or is no GRPO preset.
    """
    workspace = workspace_of(files)
    presets = [load(workspace, absolute(file)) for file in files]
    for file, preset in zip(files, presets, strict=True):
        if preset.kind is not Kind.GRPO:
            raise no_grpo(preset)
        for line in _table(context(workspace, preset, options), file):
            print(printable(starred(line)))
    return Exit.OK


def _table(about: Context, file: Path) -> list[str]:
    lines = [f"{file}: vllm_mode {about.preset.mode}, {about.swift}"]
    if about.preset.mode == "server" and about.server is not None and about.server.complete:
        server = about.server.config
        lines.append(
            f"  rollout  {server_size(about.preset)} GPUs = TP {server.vllm_tensor_parallel_size}"
            f" x DP {server.vllm_data_parallel_size}, {_tokens(server)}, {_address(about)}"
        )
        lines += _cache(about.preset.value("model"), server)
    if about.split.train is not None and about.trainer.complete:
        lines += _learner(about, about.split.train.count)
    return lines


def _address(about: Context) -> str:
    host, port = connection(about)
    return "no address that a server here can have" if host is None or port is None else Address(host, port).url()


def _tokens(server: RolloutServerConfig) -> str:
    length = server.vllm_max_model_len
    return "as many tokens as the model has positions" if length is None else f"{length} tokens"


def _cache(model: object, server: RolloutServerConfig) -> list[str]:
    settings, length = config(model), server.vllm_max_model_len
    if settings is None or length is None:
        return []
    seen, asked = shape(settings), engine(server, server.vllm_tensor_parallel_size, length)
    whole, each = token(seen, 1, asked.cache), token(seen, asked.tensor, asked.cache)
    if whole is None or each is None:
        return []
    line = f"  KV cache {whole:,} bytes a token, {whole * length / GIB:.2f} GiB for {length:,} tokens"
    held = weights(seen, asked.tensor, stored(model))
    if (known := gpus()) and held:
        memory = min(gpu.total_gib for gpu in known)
        found = tokens(memory, asked, held / GIB, aside(seen, asked), each)
        line += (
            f"; about {found:,} tokens an engine ({found / length:.0f} sequences of full length) at utilization"
            f" {asked.utilization:g} of {memory:.0f} GiB"
        )
    return [line]


def _learner(about: Context, world: int) -> list[str]:
    trainer = about.trainer.config
    numbers = batch(about.preset, trainer, world)
    accumulation = numbers.steps(trainer)
    micro, wanted = numbers.micro, numbers.effective
    size = numbers.rollout(trainer)
    step = f"takes {micro * accumulation} completions = {micro} x gradient_accumulation_steps {accumulation}"
    if wanted is not None and numbers.accumulation is None:
        step = f"cannot take the {wanted} completions of effective_batch_size: {micro} are taken at a time"
    return [
        f"  learner  {world} GPUs, per_device_train_batch_size {trainer.per_device_train_batch_size}",
        (f"  rollout makes {size} completions, {trainer.num_generations} for each prompt"),
        f"  optimizer step {step}",
    ]
