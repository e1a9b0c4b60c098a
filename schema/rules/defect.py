"""A row of the table of defects, and the properties of a preset that its condition reads."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.catalogue import order
from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.batch import rollout_size
from schema.rules.deepspeed import partitions
from schema.swift.engine import is_async
from schema.swift.values import Values

if TYPE_CHECKING:
    from collections.abc import Callable

    from schema.context import Context


class Arguments(Values):
    """The learner's arguments, and what follows from several of them."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._context = context

    @property
    def colocate(self) -> bool:
        """Whether vLLM runs inside the learner."""
        return self.on("use_vllm") and self._context.preset.mode == "colocate"

    @property
    def zero3(self) -> bool:
        """Whether DeepSpeed partitions the weights."""
        setting = self._context.preset.deepspeed
        return setting is not None and partitions(setting.value)

    @property
    def kind(self) -> str:
        """The model's type, as its checkpoint says; "" if that is not here."""
        return str((self._context.checkpoint or {}).get("model_type", ""))

    @property
    def adapter_in_vllm(self) -> bool:
        """Whether vLLM holds the adapter itself, instead of merged weights."""
        return self.adapter and (self.on("vllm_enable_lora") or self.server("vllm_enable_lora") is True)

    @property
    def micro_steps(self) -> int:
        """Micro-steps that one rollout feeds; 1 if nobody knows."""
        context, size = self._context, rollout_size(self._context)
        train, per_device = context.split.train, context.trainer.config.per_device_train_batch_size
        return size // (per_device * train.count) if size and train else 1

    @property
    def split_groups(self) -> bool:
        """Whether engines of the server get completions of one prompt in the same place of their lists."""
        context, size = self._context, rollout_size(self._context)
        if context.server is None or size is None or is_async(context.preset, context.release.version):
            return False
        engines = context.server.config.vllm_data_parallel_size
        return engines > 1 and engines * context.trainer.config.num_generations > size


class Defect(NamedTuple):
    """A defect of some releases.

    Attributes:
        since: the first release (of those supported) that has it.
        until: the first release that does not.
        field: the argument to point at.
        when: whether a preset runs into it.
        happens: what ms-swift does then.
        fix: what helps besides a newer release; "" if nothing does.
        proof: file and line of the last release that has it.
        severity: an error where it ends the run, or makes it learn from wrong data.
    """

    since: str
    until: str
    field: str
    when: Callable[[Arguments], bool]
    happens: str
    fix: str
    proof: str
    severity: Severity = Severity.WARNING

    def is_in(self, version: str) -> bool:
        """Whether a release has it."""
        return order(self.since) <= order(version) < order(self.until)

    def problem(self, context: Context, values: Arguments) -> Problem:
        """What is wrong with a preset that runs into it."""
        setting, server = context.preset.arguments.get(self.field), values.server(self.field)
        state = f"is {setting.value if setting else server!r}" if setting or server else "has its default"
        fix = f", or {self.fix}" if self.fix else ""
        return Problem(
            context.at(self.field) if setting or not server else context.at_server(self.field),
            f"{setting.path if setting else self.field} {state}, which triggers a defect of ms-swift"
            f" {context.release.version} that {self.until} fixes",
            f"{context.swift}: {self.happens} ({self.proof})",
            f"use ms-swift {self.until} or newer{fix}",
            self.severity,
        )
