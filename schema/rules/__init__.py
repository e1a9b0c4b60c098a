"""The rules: one a function, grouped by what they are about; importing this package registers them all."""

from schema.rules import adapters
from schema.rules import another
from schema.rules import batch
from schema.rules import connectivity
from schema.rules import deepspeed
from schema.rules import defects
from schema.rules import engine
from schema.rules import environment
from schema.rules import flat
from schema.rules import keys
from schema.rules import model
from schema.rules import multimodal
from schema.rules import overwritten
from schema.rules import refused
from schema.rules import releases
from schema.rules import rewards
from schema.rules import roles
from schema.rules import shell
from schema.rules import teacher
from schema.rules import tokens
from schema.rules import topology
from schema.rules import types
from schema.rules import yaml
from schema.rules.base import RULES

__all__ = ["RULES"]
