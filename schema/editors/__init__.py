"""JSON Schemas of presets, for editors: what they complete, tell and mark while a preset is typed.

Draft 7, which every release of yaml-language-server reads (1.15 to 2.0 do; 2020-12 the newer ones only). Where the
two must differ, an editor lets pass what validate-config refuses: a schema sees one value of one file at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from schema.editors import flat
from schema.editors import nested

if TYPE_CHECKING:
    from collections.abc import Callable

    from schema.catalogue import Release
    from schema.resolve import Project

#: What makes a schema, by what it is of.
_MAKERS: dict[str, Callable[[Release, Project], dict[str, Any]]] = {
    "nested": nested.preset,
    "flat": flat.learner,
    "rollout": flat.server,
}
SUBJECTS = tuple(_MAKERS)


def json_schema(subject: str, release: Release, project: Project) -> dict[str, Any]:
    """A JSON Schema with the arguments of an ms-swift release, and a project's own keys.

    Its subject is "nested" for presets in the nested layout, "flat" for the YAML of `swift rlhf`, or "rollout" for
    that of `swift rollout`.

    Raises:
        CatalogueError: a data file is missing or broken.
    """
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": f"ms-swift {release.version}"}
    return head | _MAKERS[subject](release, project)
