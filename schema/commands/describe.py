"""What the tool knows, for people and editors: rules, and a JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from schema.commands.validate import absolute
from schema.editors import json_schema
from schema.errors import InputError
from schema.exits import Exit
from schema.exits import warn
from schema.explained import location
from schema.explained import page_of
from schema.near import Near
from schema.resolve import find_project
from schema.swift.release import doubt
from schema.swift.release import target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schema.explained import Topic


def explain(name: str, groups: Mapping[str, Mapping[str, Topic]]) -> Exit:
    """Prints what a rule or a check is about and where upstream shows it, and names its page; `all` lists them.

    Raises:
        InputError: there is no such rule.
    """
    if name == "all":
        return list_rules(groups)
    known = {topic.id: topic for group in groups.values() for topic in group.values()}
    if name not in known:
        other = Near()(name, known)
        raise InputError(
            f"there is no rule {name!r}{f'; did you mean {other}?' if other else ''};"
            " `validate-config --list-rules` lists those for presets, `rollout-split explain all` also the checks"
            " of the machine"
        )
    topic = known[name]
    print(f"{topic.id} ({topic.severity.value})\n\n{topic.explanation}")
    if page := location(page_of(topic.id)):
        print(f"\nIts page is {page}")
    return Exit.OK


def list_rules(groups: Mapping[str, Mapping[str, Topic]]) -> Exit:
    """Prints each rule with its severity and what it is about, in a line."""
    width = max(len(name) for group in groups.values() for name in group)
    for title, group in groups.items():
        print(f"{title}:")
        for topic in group.values():
            print(f"  {topic.id:<{width}}  {topic.severity.value:<7}  {topic.summary}")
    return Exit.OK


def schema(subject: str, version: str | None) -> Exit:
    """Prints a JSON Schema for editors, with the keys of the project that the working directory is in.

    `schema.editors` names the subjects. Without a version the project's release counts, else that of presets.

    Raises:
        InputError: the release is not in the catalogue, or the project's table is wrong.
    """
    project = find_project(absolute(Path("preset.yaml")))
    named = project.settings.swift_version if version is None else version
    if (warning := doubt(named)) is not None:
        warn(warning)
    print(json.dumps(json_schema(subject, target(named), project), separators=(",", ":")))
    return Exit.OK
