"""Whether ms-swift's own entry point can run a learner, or only the training repository's can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.findings import Severity
from schema.rules.base import Problem
from schema.rules.base import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.context import Context

#: The dataset of presets whose training repository brings the data itself.
PLACEHOLDER = "dummy"


def _needs_entry(context: Context) -> Iterator[Problem]:
    """Placeholder data or unknown rewards, with which ms-swift's own entry point would fail.

    The check applies only to a learner that starts without `--entry`.

    ms-swift loads data.dataset from disk or a hub, and looks reward functions up in its own table and in
    external_plugins (4.5.2, rlhf_trainers/grpo_trainer.py:2211).
    """
    preset = context.preset
    dataset = preset.value("dataset")
    if isinstance(dataset, list) and PLACEHOLDER in dataset:
        yield _problem(context, "dataset", f"{preset.path('dataset')} is {dataset!r}, a placeholder")
    funcs = context.trainer.config.reward_funcs
    unknown = [name for name in funcs if name not in context.release.reward_funcs]
    if unknown and not preset.value("external_plugins"):
        more = f" and {len(unknown) - 2} more" if len(unknown) > 2 else ""
        listing = f"{', '.join(unknown[:2])}{more}"
        yield _problem(context, "reward_funcs", f"reward_funcs names {listing}, which ms-swift does not have")


def _problem(context: Context, field: str, message: str) -> Problem:
    return Problem(
        context.at(field),
        f"{message}: only a training repository can run this learner",
        f"{context.swift}: its own entry point fails once it has loaded the model",
        "pass --entry MODULE, the training repository's module",
    )


#: A rule of the learner's launchers; `validate-config` alone does not know which entry point will run.
NEEDS_ENTRY = Rule(
    "needs-entry",
    _needs_entry,
    Severity.WARNING,
    mode=None,
    layout=None,
    apart=False,
    needs=("reward_funcs",),
    components=False,
)
