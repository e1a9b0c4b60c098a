"""A rule about the target release: a preset may have been written for another one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import NamedTuple

from schema.catalogue import is_known
from schema.catalogue import knowing
from schema.catalogue import spans
from schema.findings import Severity
from schema.resolve.tree import Branch
from schema.resolve.tree import data
from schema.rules.base import Problem
from schema.rules.base import rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from schema.context import Context
    from schema.place import Place

ANOTHER_RELEASE = "another-release"
#: Names that a message lists; more say nothing new.
_MOST = 3


class _Key(NamedTuple):
    side: str
    name: str
    place: Place

    @property
    def argument(self) -> tuple[str, str]:
        return self.side, self.name


@rule(ANOTHER_RELEASE, severity=Severity.WARNING, components=True)
def another_release(context: Context) -> Iterator[Problem]:
    """The target release lacks keys of a preset, and other releases know all of its keys.

    ms-swift renames and removes arguments: tuner_type replaced train_type after 4.0.4, save_safetensors was
    removed after 3.12.6 (the catalogue's data, read from the wheels). If other releases have every key, the preset
    was probably written for one of them; with that release as the target, these `unknown-key` errors disappear.
    """
    keys = list(_keys(context)) if _may_lack(context) else []
    if not any(_lacks(context, key) for key in keys):  # as nearly always: no need to read the histories
        return
    catalogued = {key: is_known(*key.argument) for key in keys}
    known, unknown = ([key for key in keys if catalogued[key] is has] for has in (True, False))
    lacking = [key for key in known if _lacks(context, key)]
    releases = knowing(key.argument for key in known) if lacking else ()
    if releases:
        verb = "knows" if len(releases) == 1 else "know"
        but = f" but {_listed(unknown)}" if unknown else ""
        yield Problem(
            lacking[0].place,
            f"ms-swift {spans(releases)} {verb} all keys of this preset{but};"
            f" the target release {context.release.version} lacks {_listed(lacking)}",
            "",
            f"if you run it with another release, pass --swift-version {releases[-1]}, or set swift-version ="
            f' "{releases[-1]}" in [tool.rollout-split] of pyproject.toml',
        )


def _may_lack(context: Context) -> bool:
    block = context.preset.block
    served = block.children.keys() if isinstance(block, Branch) else ()
    return bool(context.unknown) or any(name not in context.release.server for name in served)


def _keys(context: Context) -> Iterator[_Key]:
    for setting in context.preset.passed:
        yield _Key("trainer", setting.name, setting.key)
    block = context.preset.block
    for name, tree in block.children.items() if isinstance(block, Branch) else ():
        # Other rules report what does not belong to the server.
        if data(tree) is not None and (name in context.release.server or is_known("server", str(name))):
            yield _Key("server", str(name), tree.key)


def _lacks(context: Context, key: _Key) -> bool:
    # A key on the wrong side is misplaced in every release.
    release = context.release
    return key.name not in release.server and (key.side == "server" or key.name not in release.trainer)


def _listed(keys: Sequence[_Key]) -> str:
    names = list(dict.fromkeys(key.name for key in keys))
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")
