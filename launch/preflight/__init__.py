"""Checks of this machine before anything is loaded: like rules, but about the world outside the preset."""

from launch.preflight import connect
from launch.preflight import environment
from launch.preflight import gpus
from launch.preflight import ports
from launch.preflight import software
from launch.preflight.base import CHECKS
from launch.preflight.base import CONNECT
from launch.preflight.base import Check
from launch.preflight.base import Look
from launch.preflight.base import Seen
from launch.preflight.base import findings
from launch.preflight.base import late

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
