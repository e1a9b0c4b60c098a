"""Whether both sides of a plan fit into their GPUs."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING
from typing import NamedTuple

from launch.planning.settings import engine_of
from launch.planning.settings import learning_of
from launch.sizing import learner
from launch.sizing import server
from schema.split.capacity import DRIVER

if TYPE_CHECKING:
    from launch.planning.candidates import Candidate
    from launch.planning.work import Work
    from launch.sizing.learner import LearnerFit
    from launch.sizing.server import EngineFit
    from schema.context import Context
    from schema.split.capacity import Engine


class Memory(NamedTuple):
    """Both sides of a plan; in colocate mode the same GPU.

    Attributes:
        server: an engine.
        learner: a learner's GPU, the engine beside it included where they share it.
        engine: what an engine is started with.
        engine_gib: its share of a GPU.
        fits: whether both do: yes, close, no; None if that is not known.
    """

    server: EngineFit
    learner: LearnerFit
    engine: Engine
    engine_gib: float
    fits: str | None


def memory(context: Context, work: Work, plan: Candidate, gib: float) -> Memory:
    """What both sides of a plan take of GPUs of `gib` GiB, as nvidia-smi tells it."""
    asked = engine_of(context, work, plan)
    made = server.fit(work.shape, asked, gib, work.stored)
    share = beside(plan, asked, gib)
    learns = learner.fit(work.shape, learning_of(context, work, plan), gib - share)
    learns = learns._replace(gib=learns.gib + share)
    sides = {"yes" if made.fits else "no" if made.fits is False else None, learns.fits}
    fits = next((verdict for verdict in ("no", None, "close", "yes") if verdict in sides), None)
    return Memory(made, learns, asked, asked.utilization * (gib - DRIVER), fits)


def longest_prompt(context: Context, work: Work, plan: Candidate, gib: float) -> int | None:
    """Tokens of the longest prompts with which a learner may fit, at the most the preset's; None if none are."""
    left = gib - beside(plan, engine_of(context, work, plan), gib)

    def refused(prompt: int) -> bool:
        learning = learning_of(context, work._replace(prompt=prompt), plan)
        return learner.fit(work.shape, learning, left).fits == "no"

    return bisect_left(range(1, work.prompt + 1), True, key=refused) or None  # noqa: FBT003 - a key's value


def beside(plan: Candidate, asked: Engine, gib: float) -> float:
    """GiB of a learner's GPU that an engine has."""
    return asked.utilization * gib if plan.mode == "colocate" else 0.0
