"""Checks of this machine before anything is loaded: like rules, but about what lies outside the preset."""

from launch.preflight import connect
from launch.preflight import environment
from launch.preflight import gpus
from launch.preflight import memory
from launch.preflight import ports
from launch.preflight import software
from launch.preflight.base import CHECKS
from launch.preflight.base import CONNECT
from launch.preflight.base import ServerStatus
from launch.preflight.base import Snapshot
from launch.preflight.base import findings
from launch.preflight.base import transient

__all__ = [
    "CHECKS",
    "CONNECT",
    "ServerStatus",
    "Snapshot",
    "connect",
    "environment",
    "findings",
    "gpus",
    "memory",
    "ports",
    "software",
    "transient",
]
