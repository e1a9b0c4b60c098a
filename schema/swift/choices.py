"""What GRPO takes for arguments to which ms-swift's parser lets any text through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping

#: Losses, by the first release that has them (4.5.2, rlhf_trainers/grpo_trainer.py _compute_loss_and_metrics).
LOSSES = {
    **dict.fromkeys(("grpo", "bnpo", "dr_grpo"), "3.10.0"),
    **dict.fromkeys(("dapo", "cispo", "sapo"), "3.11.0"),
    "real": "4.1.0",
    "fipo": "4.2.2",
}
_SCHEDULES = (
    *("linear", "cosine", "cosine_with_restarts", "polynomial", "constant", "constant_with_warmup"),
    *("inverse_sqrt", "reduce_lr_on_plateau", "cosine_with_min_lr", "cosine_warmup_with_min_lr"),
    "warmup_stable_decay",
)
#: Learning rate schedules, in the same way (transformers 5.12.1, trainer_utils.py:580 SchedulerType; `greedy` came
#: between transformers 5.3.0 and 5.6.2).
SCHEDULES = {**dict.fromkeys(_SCHEDULES, "3.10.0"), "greedy": "4.1.3"}
#: When to evaluate (transformers 5.12.1, training_args.py:1498).
EVALUATIONS = ("no", "steps", "epoch")


def taken(since: Callable[[str], bool], choices: Mapping[str, str]) -> tuple[str, ...]:
    """Those of some choices that a release has, given whether it is some release or a newer one."""
    return tuple(choice for choice, first in choices.items() if since(first))
