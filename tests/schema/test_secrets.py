"""Findings about secrets do not show them."""

import pytest

from schema import secrets
from schema.findings import Finding
from schema.findings import Severity
from schema.place import Place

PLACE = Place(None, 1, 1)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("a.api_key is 'hush', which is wrong", "a.api_key is ***, which is wrong"),
        ('api_key is "it\'s", which', "api_key is ***, which"),
        ("ENV.HF_TOKEN is 12e45", "ENV.HF_TOKEN is ***"),
        ("api_key holds -1234.5, no text", "api_key holds -***, no text"),
    ],
)
def test_values_are_masked(message, shown):
    found = secrets.masked(Finding("id", Severity.ERROR, PLACE, message, "ms-swift 4.5.2: sets 'hush'", message))
    assert (found.message, found.fix) == (shown, shown)
    assert found.consequence == "ms-swift 4.5.2: sets ***"


@pytest.mark.parametrize(
    ("name", "secret"),
    [("api_key", True), ("HF_TOKEN", True), ("hub_token", True), ("max_new_tokens", False), ("monkey", False)],
)
def test_names(name, secret):
    assert secrets.is_secret(name) is secret
