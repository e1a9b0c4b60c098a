"""One ms-swift release: its two argument classes, its reward functions and its recommendations."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from schema.catalogue.model import Release
from tools.extract.modules import Modules
from tools.extract.modules import Symbol
from tools.extract.options import options
from tools.extract.parser import parsed
from tools.extract.wheel import fetch

if TYPE_CHECKING:
    from pathlib import Path

# Where 4.x and 3.x keep the same thing.
_ARGUMENTS = ("swift.arguments", "swift.llm.argument")
_REWARDS = ("swift.rewards.orm", "swift.plugin.orm")

# Instead of what the README recommends: the newest release that the requirements admit.
_TRANSFORMERS = {"4.6.0": "5.19.0"}


def extract(version: str, cache: Path) -> Release:
    """Reads a release's wheel, and the wheel of the transformers release that goes with it."""
    wheel = fetch("ms-swift", version, cache)
    readme = wheel.metadata()
    transformers = _TRANSFORMERS.get(version) or recommended(readme, "transformers")
    modules = Modules(wheel.text, fetch("transformers", transformers, cache).text)
    package = next(name for name in _ARGUMENTS if name in modules)
    return Release(
        version=version,
        transformers=transformers,
        trainer=options(modules, package, "RLHFArguments", parsed),
        server=options(modules, package, "RolloutArguments", parsed),
        reward_funcs=_reward_funcs(modules),
        vllm=recommended(readme, "vllm"),
    )


def recommended(readme: str, package: str) -> str:
    """The newest release in the README's table of requirements (``| vllm | >=0.5.1 | 0.11.0/0.23.0 |``)."""
    row = re.search(rf"^\| *{package} *\|[^|]*\|([^|]*)\|", readme, re.MULTILINE)
    if row is None:
        raise LookupError(f"the README recommends no {package}")
    return row[1].split("/")[-1].strip()


def _reward_funcs(modules: Modules) -> tuple[str, ...]:
    """The keys of the dict ``orms``."""
    symbols = (modules.lookup(module, "orms") for module in _REWARDS)
    match next(filter(None, symbols), None):
        case Symbol(node=ast.Dict(keys=keys)):
            return tuple(sorted(str(key.value) for key in keys if isinstance(key, ast.Constant)))
    raise LookupError("no table of reward functions")
