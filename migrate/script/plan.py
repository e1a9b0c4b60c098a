"""From scripts to the plan of their pairs, or to a refusal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from typing import cast

from migrate.plan import Plan
from migrate.plan import distinct
from migrate.plan import plan
from migrate.refusals import options
from migrate.script.pair import Rendered
from migrate.script.pair import prove
from migrate.script.pair import rendered
from migrate.script.rest import rest
from schema.audit import Audit
from schema.check import load
from schema.check import named_release
from schema.check import no_grpo
from schema.errors import InputError
from schema.excerpts import Excerpts
from schema.layouts.flat import server_half
from schema.layouts.preset import Kind
from schema.place import Place
from schema.resolve import Workspace
from schema.rules import RULES
from schema.shelltext import is_script
from schema.swift.release import target as target_release
from schema.swift.roles import role_of
from schema.swift.variables import NODES
from schema.swift.variables import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from migrate.compare import Old
    from migrate.migration import Migration
    from migrate.target import Target
    from schema.layouts.script import Script

#: What a migration reckons with, besides what rollouts touch.
_NEEDED = (
    *("dataset", "rlhf_type", "use_vllm", "CUDA_VISIBLE_DEVICES", NODES, PROCESSES),
    *("per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps"),
    *("steps_per_generation", "generation_batch_size", "num_generations", "num_generations_eval"),
)
#: Rules about words that no pair can have.
_UNCARRIED = ("shell-syntax", "shell-words")


def plan_all(paths: Sequence[Path], target: Target) -> Plan:
    """Plans a call: scripts become pairs, all else is migrated as it is; raises what `plan` raises."""
    scripts = [path for path in distinct(paths) if is_script(path)]
    others = [path for path in paths if not is_script(path)]
    if not scripts:
        return plan(paths, target)
    plans = [plan(others, target)] if others else []
    return _joined([*plans, *(_planned(path, target) for path in scripts)])


def _joined(plans: Sequence[Plan]) -> Plan:
    return plans[0]._replace(
        migrations=[each for made in plans for each in made.migrations],
        old={path: found for made in plans for path, found in made.old.items()},
        warnings=list(dict.fromkeys(each for made in plans for each in made.warnings)),
        scripts={path: left for made in plans for path, left in made.scripts.items()},
    )


def _planned(path: Path, target: Target) -> Plan:
    script = _script(path, target)
    made = rendered(script)
    _refuse_half(made)
    contents = {file: text.encode() for file, text in made.texts.items()}
    workspace = Workspace({server_half(made.path): None, **contents})
    prove(made, load(workspace, made.path))
    try:
        planned = plan([made.path], target, workspace)
    except InputError as error:
        message, *lines = error.message.split("\n")
        raise InputError(message, made.origin(error.place) if error.place else None, lines) from error
    old = {file: [_as_in_the_script(each, made) for each in found] for file, found in planned.old.items()}
    migrations = [_fresh(migration, made) for migration in planned.migrations]
    return planned._replace(migrations=migrations, old=old, scripts={path: rest(script)})


def _as_in_the_script(old: Old, made: Rendered) -> Old:
    """A finding that the pair has from the beginning, where the script has it.

    Raises:
        InputError: it is one of the pair alone: YAML cannot pass the value.
    """
    found, place = old.before, made.origin(old.before.place)
    if RULES[found.rule].layout == "flat" and found.is_error:
        why = f"no pair can pass this on: {found.message}; {found.consequence}"
        raise InputError(f"{why}; {found.fix}, or keep the script", place)
    related = tuple(each._replace(place=made.origin(each.place)) for each in found.related)
    shown = Excerpts(Workspace(), made.script.secrets).of(place)
    path = made.script.resolved.path
    return old._replace(before=found._replace(place=place, related=related, excerpt=shown, presets=(path,)))


def _refuse_half(made: Rendered) -> None:
    # Whatever is there would be taken for the server of the new file.
    half = server_half(made.path)
    if os.path.lexists(half):
        name = made.script.resolved.path.name
        raise InputError(f"is there already, and would be the server of what {name} gives; remove it", Place(half))


def _fresh(migration: Migration, made: Rendered) -> Migration:
    lines = {line: place.line for (file, line), place in made.origins.items() if file == migration.path}
    return migration._replace(there=False, script=made.script.resolved.path, lines=lines)


def _script(path: Path, target: Target) -> Script:
    """A script that a pair can be made of.

    Raises:
        InputError: there is none.
    """
    workspace = Workspace()
    script = cast("Script", load(workspace, path))  # as its name says; the class is imported only for scripts
    wrong = [found for found in Audit(workspace, options(target)).of(script) if found.rule in _UNCARRIED]
    if first := next((found for found in wrong if found.is_error), None):
        raise InputError(f"{first.message}; {first.fix or 'correct it'} first", first.place)
    if script.kind is not Kind.GRPO:
        raise no_grpo(script)
    _refuse_several(script)
    _refuse_unknown(script)
    _refuse_release(script, target)
    return script


def _refuse_several(script: Script) -> None:
    if len(script.runs) > 1:
        lines = " and ".join(str(run.start.line) for run in script.runs)
        raise InputError(
            f"calls `swift rlhf` with rlhf_type grpo several times (lines {lines}), and one pair is one run; give"
            " each call a script of its own",
            script.runs[1].start,
        )


def _refuse_unknown(script: Script) -> None:
    for name, word in script.unknown.items():
        if name in _NEEDED or role_of(name) is not None:
            raise InputError(
                f"only a shell knows {word.unknown} in {name}, on which the migration depends; write its value"
                " into the script first",
                word.place,
            )


def _refuse_release(script: Script, target: Target) -> None:
    release = target_release(named_release(script, options(target)))
    if release.since("4.2.2"):
        return
    why = "does not read ENV, in which the variables of the call would stand"
    if release.since("4.1.0"):
        why = f"reads {PROCESSES} in ENV too late"
    raise InputError(
        f"ms-swift {release.version} {why}; pass --swift-version 4.2.2 or newer, or keep the script", script.start
    )
