"""How a shell starts the commands that read presets: without Python's collector of circular garbage.

It would look through all modules and all nodes of all files again and again, and they form no circles. It is
switched off before the first import, here alone: whoever imports `schema.cli` keeps it.
"""

import gc
from importlib import import_module


def validate_config() -> None:
    """The command validate-config."""
    _start("schema.cli")


def migrate_config() -> None:
    """The command migrate-config."""
    _start("migrate.cli")


def _start(module: str) -> None:
    gc.disable()
    import_module(module).main()
