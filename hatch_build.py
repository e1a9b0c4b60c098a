"""The URLs of the project, which are those of whoever publishes it: none is written down here."""

from __future__ import annotations

import os

from hatchling.metadata.plugin.interface import MetadataHookInterface

#: The variables that name them.
URLS = {
    "Repository": "ROLLOUT_SPLIT_REPOSITORY",
    "Documentation": "ROLLOUT_SPLIT_DOCUMENTATION",
    "Issues": "ROLLOUT_SPLIT_ISSUES",
}


class ProjectUrls(MetadataHookInterface):
    """Sets `[project.urls]` from the environment of the build."""

    def update(self, metadata: dict[str, object]) -> None:
        """Adds the URLs that are known."""
        metadata["urls"] = {label: os.environ[name] for label, name in URLS.items() if os.environ.get(name)}
