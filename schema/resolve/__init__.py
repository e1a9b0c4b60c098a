"""From a file and the files it extends to one tree in which every value knows where it was set."""

from schema.resolve.extends import Resolved
from schema.resolve.extends import resolve
from schema.resolve.project import Project
from schema.resolve.project import find_project
from schema.resolve.tree import Branch
from schema.resolve.tree import Leaf
from schema.resolve.tree import Tree
from schema.resolve.workspace import Workspace

__all__ = ["Branch", "Leaf", "Project", "Resolved", "Tree", "Workspace", "find_project", "resolve"]
