"""What presets mean before and after a way to server mode and back, and what the reports say about it."""

import json

from click.testing import CliRunner

from migrate.cli import main
from schema.check import load
from schema.cli import main as validate_config
from schema.layouts.nested import ARGUMENT_SECTIONS
from schema.layouts.nested import SERVER_BLOCK
from schema.resolve import Workspace
from schema.resolve.tree import Branch


def meaning(path):
    """The arguments of ms-swift by name, and everything else by path; a null is unset."""
    preset = load(Workspace(), path.absolute())
    found = {name: setting.value for name, setting in preset.arguments.items()}
    for section, tree in preset.tree.children.items():
        if section not in ARGUMENT_SECTIONS:
            found |= dict(leaves(tree, (section,)))
    return found


def leaves(tree, path):
    if not isinstance(tree, Branch):
        return [] if tree.value is None else [(path, tree.value)]
    return [leaf for name, child in tree.children.items() for leaf in leaves(child, (*path, name))]


def migrate(*args):
    """A call that must write, and its report."""
    ran = CliRunner().invoke(main, ["--write", "--report", "json", *map(str, args)])
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)["changes"]


def not_carried(changes):
    """The names of the settings that a report says did not merely move."""
    return {
        item["key"].rsplit(".", 1)[-1] for item in changes if item["kind"] != "moved" or item["old"] != item["new"]
    }


def differing(old, new):
    """The names of the settings that differ."""
    keys = {key for key in {**old, **new} if repr(old.get(key)) != repr(new.get(key))}
    return {key if isinstance(key, str) else key[-1] for key in keys}


def by_hand(one):
    """What a colocate preset may say of a server already: nothing reads it there, and the way back drops it."""
    return {key[-1] for key in one if key[:3] == SERVER_BLOCK} | {"vllm_server_port"}


def check_there_and_back(paths, *options, back=()):
    """Migrates presets to server mode, back, and there again."""
    before = [meaning(path) for path in paths]
    check_way_back(paths, before, migrate(*options, *paths), *options, back=back)


def check_way_back(paths, before, reports, *options, back=()):
    """Migrates presets in server mode back, and there again; what they meant `before`, and how they got there."""
    there = [meaning(path) for path in paths]
    reports += migrate("--to", "colocate", *back, *paths)
    assert migrate("--to", "colocate", *back, *paths) == []
    valid = CliRunner().invoke(validate_config, list(map(str, paths)))
    assert valid.exit_code == 0, valid.output
    allowed = set().union(*map(by_hand, before))
    for path, old in zip(paths, before, strict=True):
        assert differing(old, meaning(path)) <= not_carried(reports) | allowed, path
        assert meaning(path).get("vllm_mode", "colocate") == "colocate"
    again = CliRunner().invoke(main, ["--write", *map(str, (*options, *paths))])
    if "would go into this flow mapping, which cannot hold it: a comment" in again.stderr:
        return  # a comment that stayed stands above a key by now that takes it along
    assert again.exit_code == 0, again.output
    fitted = {"vllm_tensor_parallel_size", "vllm_data_parallel_size"} if len(allowed) > 1 else set()
    for path, old in zip(paths, there, strict=True):
        assert differing(old, meaning(path)) <= allowed | fitted, path
