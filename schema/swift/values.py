"""The learner's arguments as the release's parser reads them, for rules that compare several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema import checkpoint
from schema.split.batch import eval_strategy
from schema.swift import argument
from schema.swift.engine import is_async

if TYPE_CHECKING:
    from collections.abc import Callable

    from schema.context import Context

#: What ms-swift asks for with `if`: set to one of these, an argument is as good as unset.
_NOTHING: tuple[object, ...] = (None, "", [])


class Values:
    """What the learner of a release has: what a preset gives it, and the release's defaults."""

    def __init__(self, context: Context) -> None:
        self._preset = context.preset
        self._given = context.preset.arguments
        self._release = context.release
        self._configs = context.configs  # not the context, which remembers these values: nothing collects circles
        self._trainer = context.trainer.config

    @property
    def eval_strategy(self) -> str:
        """When ms-swift evaluates; looked up each time, because a rule has to notice what only a shell knows."""
        return eval_strategy(self._preset, self._trainer)

    @property
    def evaluates(self) -> bool:
        """Whether ms-swift will evaluate."""
        return self.eval_strategy != "no"

    def since(self, version: str) -> bool:
        """Whether the release is this one or a newer one."""
        return self._release.since(version)

    def has(self, *names: str) -> bool:
        """Whether any of some arguments is set."""
        return any(setting.value not in _NOTHING for setting in map(self._given.get, names) if setting is not None)

    def value(self, name: str) -> object:
        """What the learner has: what is set, else the release's default; None if both say nothing."""
        if (setting := self._given.get(name)) is not None:
            return setting.value
        field = self._release.trainer.get(name)
        return None if field is None else field.unset

    def on(self, name: str) -> bool:
        """Whether an argument is a true boolean."""
        return argument.truth(self.value(name)) is True

    def off(self, name: str) -> bool:
        """Whether an argument is a false boolean."""
        return argument.truth(self.value(name)) is False

    def number(self, name: str, default: float = 0.0) -> float:
        """The number, or the default where the release has none either, or it is no number."""
        number = argument.number(self.value(name))
        return default if number is None else number

    def words(self, name: str) -> list[str]:
        """The words of an argument on a command line; none if neither the preset nor the release says any."""
        value = self.value(name)
        items = value if isinstance(value, list) else [] if value is None else [value]
        return [argument.text(item) for item in items]

    def word(self, name: str, default: str = "") -> str:
        """The only word of an argument, or the default where the release has none either."""
        value = self.value(name)
        return (value if isinstance(value, str) else " ".join(self.words(name))) or default

    def mapping(self, name: str) -> dict[str, object] | None:
        """The mapping that an argument is, as JSON text or in a JSON file, too; None if it is none."""
        return argument.mapping(self._preset.value(name))

    def server(self, name: str) -> object:
        """What the rollout server gets, or None."""
        return self._preset.served(name)

    def path(self, name: str) -> str:
        """Where an argument belongs, as messages name it."""
        return self._preset.path(name)

    @property
    def tuner(self) -> str:
        """What is trained: lora, full or another tuner; in ms-swift 4.0 its old name train_type wins."""
        return self.word("train_type") or self.word("tuner_type")

    @property
    def adapter(self) -> bool:
        """Whether an adapter is trained."""
        return self.tuner != "full"

    @property
    def sees(self) -> bool | None:
        """Whether the model takes pictures; None if its checkpoint is not here."""
        return checkpoint.sees(self._configs(self._preset.value("model")))

    @property
    def teacher(self) -> bool:
        """Whether a teacher turns GRPO into distillation; before ms-swift 4.4.0 GRPO asks none."""
        return self.since("4.4.0") and self.has("teacher_model", "teacher_model_server")

    @property
    def counts_warmup_steps(self) -> bool:
        """Whether warmup_steps counts, and warmup_ratio does not take its place.

        transformers 4 prefers the steps (4.57.1, training_args.py:2556), 5 the ratio (5.12.1,
        training_args.py:1485), which ms-swift 4.5 always sets (trainers/arguments.py:218); that of 4.6.0 has none.
        """
        if self.since("4.5.0"):
            return self.since("4.6.0")
        return not self.since("4.0.0") or not self.has("warmup_ratio")

    @property
    def gym(self) -> bool:
        """Whether a gym scores: the learner says so, or else the server has one.

        The learner has these arguments from 4.3.0 on, and gym_env alone says it, too (4.5.2,
        rlhf_trainers/args_mixin.py:492). Unset, the server's counts, which tells of it where its engine is async
        (rlhf_trainers/rollout_mixin.py:421, pipelines/infer/rollout.py:1026).
        """
        own = self._gym(self._preset.value) if self.since("4.3.0") else None
        if own is not None or self._preset.mode != "server":
            return own is True
        return is_async(self._preset, self._release.version) and self.gym_of_server

    @property
    def gym_of_server(self) -> bool:
        """Whether the server plays in a gym, so that a request has to name an environment."""
        return self._gym(self._preset.served) is True

    def _gym(self, ask: Callable[[str], object]) -> bool | None:
        use = ask("use_gym_env")
        if use is None:
            return ask("gym_env") not in _NOTHING or None
        return argument.truth(use) is True

    @property
    def deepspeed(self) -> bool:
        """Whether the learner gets a DeepSpeed configuration."""
        return self._preset.deepspeed is not None
