"""The role table."""

import re

import pytest

from schema import catalogue
from schema.swift.roles import ROLES
from schema.swift.roles import Misplaced
from schema.swift.roles import Role
from schema.swift.roles import fields
from schema.swift.roles import role_of

TOUCHED = re.compile(r"vllm_|rollout|offload_(?!embedding)|sleep_level")


def test_every_role_has_fields_and_every_field_has_one_role():
    assert all(fields(role) for role in Role)
    assert sorted(name for role in Role for name in fields(role)) == sorted(ROLES)


@pytest.mark.parametrize("version", catalogue.versions())
def test_every_field_of_every_release_that_rollouts_touch_has_a_role(version):
    release = catalogue.release(version)
    touched = {name for name in (*release.trainer, *release.server) if TOUCHED.match(name)}
    assert {name for name in touched if role_of(name) is None} == set()


def test_every_field_is_known_to_the_reference_release():
    release = catalogue.release("4.5.2")
    assert [name for name in ROLES if name not in release.trainer and name not in release.server] == []


@pytest.mark.parametrize(
    ("role", "in_trainer", "in_server"),
    [
        (Role.CONNECT, True, None),
        (Role.TRAINER, True, None),
        (Role.SERVER, True, True),
        (Role.BOTH, True, True),
        (Role.LISTEN, False, True),
        (Role.GUARD, False, True),
    ],
)
def test_role_agrees_with_the_classes_that_have_the_field(role, in_trainer, in_server):
    release = catalogue.release("4.5.2")
    for name in fields(role):
        assert (name in release.trainer) is in_trainer, name
        assert in_server is None or (name in release.server) is in_server, name


@pytest.mark.parametrize(
    ("field", "role"),
    [
        ("vllm_mode", Role.CONNECT),
        ("vllm_server_group_port", Role.CONNECT),
        ("vllm_tensor_parallel_size", Role.SERVER),
        ("vllm_enable_lora", Role.SERVER),
        ("temperature", Role.TRAINER),
        ("move_model_batches", Role.TRAINER),
        ("model", Role.BOTH),
        ("external_plugins", Role.BOTH),
        ("sleep_level", Role.COLOCATE),
        ("offload_model", Role.COLOCATE),
        ("completion_length_limit_scope", Role.COLOCATE),
        ("port", Role.LISTEN),
        ("vllm_reasoning_parser", Role.REFUSED),
        ("learning_rate", None),
        ("log_level", None),
    ],
)
def test_role(field, role):
    assert role_of(field) is role


def test_every_row_names_the_line_that_proves_it():
    lines = r"[a-z_/]+\.py:\d+(-\d+)?"
    assert [row for row in ROLES.values() if not re.fullmatch(rf"{lines}( and {lines})*", row.proof)] == []


def test_what_misplacing_does():
    by = {what: {row.field for row in ROLES.values() if row.misplaced is what} for what in Misplaced}
    assert by[Misplaced.CONNECTS] == {"vllm_server_host", "vllm_server_base_url"}
    assert by[Misplaced.WARNED] == {"vllm_max_model_len"}
    assert by[Misplaced.RESET] == {"sleep_level"}
    assert by[Misplaced.DECIDES] == {"use_vllm", "vllm_mode"}
    assert by[Misplaced.ALONE] == {*fields(Role.BOTH)}


@pytest.mark.parametrize(
    ("role", "side"), [(Role.TRAINER, "server"), (Role.LISTEN, "trainer"), (Role.GUARD, "trainer")]
)
def test_a_side_refuses_the_arguments_that_it_does_not_have(role, side):
    for version in catalogue.versions():
        known = getattr(catalogue.release(version), side)
        refused = {name for name in fields(role) if ROLES[name].misplaced is Misplaced.REFUSED}
        assert not refused & known.keys(), version
    known = getattr(catalogue.release("4.5.2"), side)
    assert {name for name in fields(role) if name not in known} == refused
