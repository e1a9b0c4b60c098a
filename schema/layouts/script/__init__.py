"""The layout *script*: a shell script that calls `swift rlhf` or `swift rollout`; it is read, never written."""

from schema.layouts.script.layout import Script
from schema.layouts.script.layout import read_script

__all__ = ["Script", "read_script"]
