"""What a preset's engine, GPUs and batch are in the other mode, or in another split.

Pure decisions, without YAML and whatever the layout: a migration writes what is decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.errors import InputError
from schema.split.gpus import DEFAULT_LEARNERS
from schema.split.gpus import DEFAULT_ROLLOUT
from schema.split.gpus import project_split
from schema.split.gpus import server_size
from schema.swift.argument import is_whole

if TYPE_CHECKING:
    from schema.layouts.preset import Preset
    from schema.split.gpus import Shares

#: Tokens of one sequence on a server where a preset says nothing about lengths.
DEFAULT_LENGTH = 8192
#: GPUs that one engine spans, and the share of their memory that an engine takes on GPUs of its own.
DEFAULT_TENSOR = 1
DEFAULT_SHARE = 0.6
#: The most that an engine gets beside a learner, unless the caller says otherwise: ms-swift's own default, 0.9,
#: leaves a learner none.
SHARED_SHARE = 0.5

CALLER = "the caller's value"
SPLIT = "the split's value"
#: Micro-batches of one step up to which numbers of learners are proposed.
_MOST = 100_000


class Decision(NamedTuple):
    """A value, and the reason for it; no reason where it is what it was."""

    value: object
    reason: str = ""


class Needs(NamedTuple):
    """Tokens that a preset allows; None where nothing says.

    Attributes:
        prompt: of a prompt alone.
        total: of prompt and completion together.
        positions: what the checkpoint takes at the most.
    """

    prompt: int | None = None
    total: int | None = None
    positions: int | None = None

    def fills(self, length: object) -> bool:
        """Whether a prompt alone can fill an engine of this length, so that it answers nothing."""
        return is_whole(length) and self.prompt is not None and self.prompt >= length


def length(had: object, given: int | None, needs: Needs) -> Decision:
    """Tokens of one sequence on a server: the caller's, else what it had unless a prompt can fill it.

    Raises:
        InputError: a prompt can fill what the caller gives.
    """
    if given is not None:
        if needs.fills(given):
            raise InputError(
                f"--max-model-len is {given}, but a prompt alone may have {needs.prompt} tokens here; pass"
                f" --max-model-len {needs.total}, or leave it out"
            )
        return Decision(given, CALLER)
    if is_whole(had) and not needs.fills(had):
        return Decision(had)
    if needs.total is not None:
        return _within(needs, needs.total, f"prompt and completion may have {needs.total} tokens")
    return _within(needs, DEFAULT_LENGTH, "the default, because the preset sets no length")


def _within(needs: Needs, wanted: int, why: str) -> Decision:
    # What the checkpoint cannot take is only asked for where a prompt needs it; a rule refuses it then.
    most = needs.positions
    if most is None or most >= wanted or needs.fills(most):
        return Decision(wanted, why)
    return Decision(most, f"{why}; the checkpoint's config.json allows {most}")


def rollout_gpus(given: Shares, preset: Preset, server: int | None = None) -> int:
    """GPUs that roll out: the caller's, else TP x DP of a server that is said already, else the project's, else 6.

    TP x DP is what `server` says, else what the preset does.

    Raises:
        InputError: the caller's learners leave none.
    """
    shares, gpus = project_split(preset.project, preset), preset.project.settings.gpus
    if given.rollout is not None:
        return given.rollout
    if given.train is not None and gpus is not None:
        return _rest(gpus, given.train, "learn")
    return server or server_size(preset) or shares.rollout or DEFAULT_ROLLOUT


def train_gpus(given: Shares, preset: Preset, rollout: int) -> int:
    """GPUs that learn beside a server, one process each: the caller's, the preset's, the project's, or 2.

    Raises:
        InputError: the server leaves none.
    """
    gpus = preset.project.settings.gpus
    own = preset.learners.count if preset.mode == "server" and preset.learners else None
    if given.train is not None:
        return given.train
    if gpus is not None and (own is None or given.rollout is not None):
        return _rest(gpus, rollout, "roll out")
    return own or preset.project.settings.train_gpus or DEFAULT_LEARNERS


def _rest(gpus: int, taken: int, verb: str) -> int:
    if taken >= gpus:
        raise InputError(f"{taken} of the node's {gpus} GPUs (gpus in pyproject.toml) {verb}, which leaves none")
    return gpus - taken


def data_parallel(rollout: int, tensor: int) -> int:
    """DP: how many engines of `tensor` GPUs each the rollout GPUs hold.

    Raises:
        InputError: they are no whole number.
    """
    if rollout % tensor:
        near = [gpus for gpus in (rollout // tensor * tensor, (rollout // tensor + 1) * tensor) if gpus]
        raise InputError(
            f"vllm_tensor_parallel_size {tensor} does not divide {rollout} rollout GPUs; pass --rollout-gpus"
            f" {' or '.join(map(str, near))}, or another --tensor-parallel"
        )
    return rollout // tensor


def refuse_part_engines(learners: int, tensor: int) -> None:
    """Refuses engines beside learners that are not whole (ms-swift 4.5.2, rlhf_trainers/rollout_mixin.py:433).

    Raises:
        InputError: TP does not divide the learners.
    """
    if learners % tensor:
        near = [count for count in (learners // tensor * tensor, (learners // tensor + 1) * tensor) if count]
        raise InputError(
            f"--tensor-parallel {tensor} does not divide the {learners} learners of colocate mode (all GPUs of the"
            " split, unless you say otherwise), and ms-swift would raise a ValueError; pass --train-gpus"
            f" {' or '.join(map(str, near))}, or another --tensor-parallel"
        )


def scaled(count: int, before: int, after: int) -> int | None:
    """How often `after` learners do what `before` learners do `count` times; None if that is no whole number."""
    times, rest = divmod(count * before, after)
    return None if rest else times


def learners_for(times: int, near: int, engine: int = 1) -> list[int]:
    """The numbers of learners that share `times` micro-batches evenly: the nearest below and above a number.

    Where they share their GPUs with engines, whole engines of `engine` GPUs each fit them.
    """
    worlds = range(engine, times + 1, engine) if times <= _MOST else ()
    even = [world for world in worlds if times % world == 0]
    return [*[world for world in even if world < near][-1:], *[world for world in even if world > near][:1]]
