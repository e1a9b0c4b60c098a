"""Shell text without a shell: the commands of a script, their words and variables, each with its place."""

from schema.shelltext.dialect import other_shell
from schema.shelltext.dialect import otherwise_in_zsh
from schema.shelltext.script import Fault
from schema.shelltext.script import Script
from schema.shelltext.script import comments
from schema.shelltext.script import is_script
from schema.shelltext.script import read
from schema.shelltext.walk import Command
from schema.shelltext.words import Word

__all__ = [
    "Command",
    "Fault",
    "Script",
    "Word",
    "comments",
    "is_script",
    "other_shell",
    "otherwise_in_zsh",
    "read",
]
