"""Whether ms-swift's own entry point can run a learner, or only the training repository's can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.findings import Finding
from schema.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.rules import Context

#: What presets name where the training repository brings the data itself.
PLACEHOLDER = "dummy"


def own_entry_findings(context: Context) -> Iterator[Finding]:
    """What ms-swift's own entry point would stumble over: placeholder data, rewards that it does not have.

    ms-swift loads data.dataset from disk or a hub, and looks reward functions up in its own table and in
    external_plugins (4.5.2, rlhf_trainers/grpo_trainer.py:2211).
    """
    preset = context.preset
    dataset = preset.value("dataset")
    if isinstance(dataset, list) and PLACEHOLDER in dataset:
        yield _finding(context, "dataset", f"{preset.path('dataset')} is {dataset!r}, a placeholder")
    funcs = context.trainer.config.reward_funcs
    unknown = [name for name in funcs if name not in context.release.reward_funcs]
    if unknown and not preset.value("external_plugins"):
        more = f" and {len(unknown) - 2} more" if len(unknown) > 2 else ""
        named = f"{', '.join(unknown[:2])}{more}"
        yield _finding(context, "reward_funcs", f"reward_funcs names {named}, not built into ms-swift")


def _finding(context: Context, field: str, message: str) -> Finding:
    return Finding(
        "needs-entry",
        Severity.WARNING,
        context.at(field),
        f"{message}: only a training repository can run this learner",
        f"{context.swift}: its own entry point fails once the model was loaded",
        "entry=MODULE names the training repository's module",
    )
