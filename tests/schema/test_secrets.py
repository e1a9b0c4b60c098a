"""Findings about secrets do not show them."""

from pathlib import Path

import pytest

from schema import catalogue
from schema import secrets
from schema.findings import Finding
from schema.findings import Severity
from schema.place import Place

PLACE = Place(Path("preset.yaml"), 1, 1)


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
    finding = Finding("id", Severity.ERROR, PLACE, message, "ms-swift 4.5.2: sets 'hush'", message)
    found = secrets.without(finding, {}, here=True)
    assert (found.message, found.fix) == (shown, shown)
    assert found.consequence == "ms-swift 4.5.2: sets ***"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        *((name, True) for name in ("api_key", "HF_TOKEN", "hub_token", "x-api-key", "hubToken", "db.password")),
        *(
            (name, True)
            for name in ("hub_tokn", "HF_TOKE", "api_kye", "WANDB_API_KY", "pasword", "hubTokne", "secrt")
        ),
        *((name, False) for name in ("tockens", "token_id", "taken", "secure", "broken", "api_type")),
        *((name, False) for name in ("max_new_tokens", "monkey", "tokenizer", "keys", "")),
    ],
)
def test_names(name, secret):
    assert secrets.is_secret(name) is secret


def test_no_argument_is_taken_for_a_misspelt_secret():
    found = {name for name in catalogue.names() if secrets.is_secret(name)}
    assert {name for name in found if not name.endswith(("token", "key", "secret"))} == set()
    assert "hub_token" in found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("url is 'http://me:hush@host:1/x'", "url is 'http://***@host:1/x'"),
        ("nothing of http://host:1/x goes", "nothing of http://host:1/x goes"),
        ("loads hf_aB3dE5gH7jK9 from the hub", "loads *** from the hub"),
        ("calls hf_hub_download with hf_overrides", "calls hf_hub_download with hf_overrides"),
        ("sends sk-proj-Ab3dE5gH7", "sends ***"),
        ("sends nvapi-Ab3dE5gH7 AKIAIOSFODNN7EXAMPLE", "sends *** ***"),
        ("a risk-free task-specific word", "a risk-free task-specific word"),
        ("""{"a": {"hub_token": "hu\\"sh"}, "b": 1}""", """{"a": {"hub_token": ***}, "b": 1}"""),
        ("HF_TOKEN=hush swift rlhf", "HF_TOKEN=*** swift rlhf"),
        ("hub_token -> other", "hub_token -> ***"),
        ("it is not of the form key=value", "it is not of the form key=value"),
        ("url is 'http://host:1?a=b&token=hush', not it", "url is 'http://host:1?a=b&token=***, not it"),
        ("system is 'say token: hush'", "system is 'say token: ***"),
        (
            r"""model_kwargs: "{\"hub_token\": \"hush\", \"b\": 1}\"""",
            r"""model_kwargs: "{\"hub_token\": ***, \"b\": 1}\"""",
        ),
    ],
)
def test_what_looks_like_a_secret_is_starred_anywhere(text, shown):
    assert secrets.starred(text) == shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("  hub_token: it is hush hush", "  hub_token: ***"),
        ("# old: {token: hush, b: 1}", "# old: {token: ***"),
        ("model: a # api_key: hush", "model: a # api_key: ***"),
        ("tokenizer: fast", "tokenizer: fast"),
        (r"""model_kwargs: "{\"token\": \"hush\"}\"""", r"""model_kwargs: "{\"token\": ***"""),
    ],
)
def test_a_line_that_names_a_secret_ends_there(line, shown):
    assert secrets.starred_line(line) == shown


@pytest.mark.parametrize("spelt", ["quo'te\nand lines", '"quo\'te\\nand lines"', "and lines", "1234567"])
def test_known_values_are_found_however_they_are_spelt(spelt):
    known = secrets.known({"ENV": {"TOKEN": "quo'te\nand lines"}, "list": [{"password": 1234567}]})
    assert secrets.starred(f"it is {spelt} here", known).replace('"', "") == "it is *** here"


def test_short_words_are_not_looked_for():
    assert (
        secrets.starred("shorter words stay", secrets.known({"token": "short", "key": None}))
        == "shorter words stay"
    )


def test_hidden_keeps_what_is_no_secret():
    data = {"a": [{"token": ["x", 1, None]}], "b": "http://u:p@h", "key": True, "n": 1}
    assert secrets.hidden(data) == {
        "a": [{"token": ["***", "***", None]}],
        "b": "http://***@h",
        "key": True,
        "n": 1,
    }


def test_words_of_a_command():
    argv = ["swift", "--hub_token", "hush", "--api_key=hush", "--model", "m", "http://u:p@h"]
    assert secrets.command(argv) == [
        "swift",
        "--hub_token",
        "***",
        "--api_key=***",
        "--model",
        "m",
        "http://***@h",
    ]
