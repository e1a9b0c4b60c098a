"""The flat pair that a script means, before anything is migrated."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from migrate.proof import ProofError
from migrate.yamledit.scalars import scalar
from schema.layouts.flat import ENVIRONMENT
from schema.layouts.flat import Flat
from schema.layouts.flat import fields
from schema.layouts.flat import server_half
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.secrets import hidden
from schema.secrets import is_secret
from schema.swift.variables import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schema.catalogue import Field
    from schema.layouts.preset import Preset
    from schema.layouts.script import Script
    from schema.place import Place
    from schema.resolve import Tree


class Rendered(NamedTuple):
    """A pair as text, and where each of its lines comes from.

    Attributes:
        script: what it is made of.
        path: the learner's file, which need not be there.
        texts: by file, its text; no server's file where the script starts none.
        origins: by file and line, the place of the value in the script.
    """

    script: Script
    path: Path
    texts: dict[Path, str]
    origins: dict[tuple[Path, int], Place]

    def origin(self, place: Place) -> Place:
        """Where in the script a value of the pair comes from."""
        if place.file not in (self.path, server_half(self.path)):
            return place
        return self.origins.get((place.file, place.line), self.script.start)


def rendered(script: Script) -> Rendered:
    """Writes the calls of a script down as a pair.

    Each value is spelt so that ms-swift's YAML reader makes the word of it that the script has (ms-swift 4.5.2,
    cli/main.py:60-70 parse_yaml_args); one that only a shell knows is left out, and so are the values of variables
    that are secrets.
    """
    path = script.resolved.path.with_suffix(".yaml")
    made = Rendered(script, path, {}, {})
    _write(made, path, script.tree, "trainer", f"`swift rlhf` reads, as {script.resolved.path.name} calls it")
    if script.server is not None:
        half, what = server_half(path), f"`swift rollout` reads: the server of {path.name}"
        _write(made, half, script.server, "server", what)
    return made


def _write(made: Rendered, file: Path, half: Branch, side: str, what: str) -> None:
    lines = f"# What {what}.\n\n".splitlines()
    for line, place in (*_variables(half, side), *_arguments(half, side)):
        lines.append(line)
        made.origins[file, len(lines)] = place
    made.texts[file] = "".join(f"{line}\n" for line in lines)


def carried(name: str, value: object = "") -> bool:
    """Whether a variable or an argument goes into a file: none that is a secret, or holds one."""
    return not is_secret(name) and hidden(value, name) == value


def _variables(half: Branch, side: str) -> Iterator[tuple[str, Place]]:
    environment = half.children.get(ENVIRONMENT)
    children = environment.children if isinstance(environment, Branch) else {}
    known = {str(name): tree for name, tree in children.items() if carried(str(name), data(tree))}
    learns = side == "trainer" and PROCESSES not in known
    if not known and not learns:
        return
    yield f"{ENVIRONMENT}:", half.place
    if learns:  # written down, the next call knows for how many learners the batch was made
        yield f"  {PROCESSES}: 1", half.place
    for name, tree in known.items():
        yield f"  {scalar(name)}: {_spelt(None, str(data(tree)))}", tree.place


def _arguments(half: Branch, side: str) -> Iterator[tuple[str, Place]]:
    known = fields(side)
    for name, tree in half.children.items():
        if name != ENVIRONMENT and carried(str(name), data(tree)):
            yield f"{scalar(str(name))}: {_value(known.get(str(name)), tree)}", tree.place


def _value(field: Field | None, tree: Tree) -> str:
    value = data(tree)
    return scalar([str(item) for item in value]) if isinstance(value, list) else _spelt(field, str(value))


def _spelt(field: Field | None, word: str) -> str:
    """A word as YAML that ms-swift's reader makes the same word of."""
    if field is not None and field.kind == "bool" and word.lower() in ("true", "false"):
        return word.lower()
    kinds = (int,) if field is None or field.kind == "int" else (float, int) if field.kind == "float" else ()
    if any(_is_spelt(kind, word) for kind in kinds):
        return word
    return scalar(word, "'" if '"' in word else None)


def _is_spelt(kind: type[int | float], word: str) -> bool:
    try:
        return str(kind(word)) == word and word.strip("-").replace(".", "", 1).isdecimal()
    except ValueError:
        return False


def prove(made: Rendered, pair: Preset) -> None:
    """Compares what both sides get from the pair with what the script gives them.

    Raises:
        ProofError: they differ.
    """
    script = made.script
    if not isinstance(pair, Flat):
        raise ProofError(f"{made.path.name} would be no flat preset")
    if _sides(script) != _sides(pair):
        raise ProofError(f"{made.path.name} would mean something else than {script.resolved.path.name}")


def _sides(preset: Flat) -> list[object]:
    """The words of both command lines by argument, and the variables of both sides."""
    halves = [("trainer", preset.tree), ("server", preset.server)]
    return [*(_words(half, side) for side, half in halves if half is not None), *_environment(preset)]


def _words(half: Branch, side: str) -> dict[str, list[str]]:
    """What ms-swift's YAML reader makes of a file; of a boolean any spelling is the same."""
    values = {str(name): data(tree) for name, tree in half.children.items() if name != ENVIRONMENT}
    lists = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
    flags = {name for name, field in fields(side).items() if field.kind == "bool"}
    return {
        name: [str(item).lower() if name in flags else str(item) for item in items]
        for name, items in lists.items()
        if carried(name, values[name])
    }


def _environment(preset: Flat) -> list[dict[str, str]]:
    learner, server = ({**preset.variables(side)} for side in ("learner", "server"))
    learner.setdefault(PROCESSES, "1")
    return [{name: value for name, value in each.items() if carried(name, value)} for each in (learner, server)]
