"""Checks of this machine before anything is loaded: like rules, but about the world outside the preset."""

from schema.launch.preflight import connect
from schema.launch.preflight import environment
from schema.launch.preflight import gpus
from schema.launch.preflight import ports
from schema.launch.preflight import software
from schema.launch.preflight.base import CHECKS
from schema.launch.preflight.base import CONNECT
from schema.launch.preflight.base import Check
from schema.launch.preflight.base import Look
from schema.launch.preflight.base import Seen
from schema.launch.preflight.base import findings
from schema.launch.preflight.base import late

__all__ = [
    "CHECKS",
    "CONNECT",
    "Check",
    "Look",
    "Seen",
    "connect",
    "environment",
    "findings",
    "gpus",
    "late",
    "ports",
    "software",
]
