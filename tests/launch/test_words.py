"""The words of a launcher."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launch import words
from schema.errors import InputError
from schema.split.gpus import Gpus

NEEDED = ["config=a=b.yaml", "gpus=6"]
TEXT = st.text(max_size=20)


def test_defaults():
    wish = words.read("learner", NEEDED)
    assert (wish.config, wish.gpus) == (Path("a=b.yaml"), Gpus(1, ("6",)))
    assert (wish.wait_timeout, wish.health_check, wish.weights_check, wish.show) == (300, True, True, True)
    assert wish.logs == Path("logs/rollout-split")


def test_all_keys_of_a_learner():
    said = {
        "entry": ("a.b", "a.b"),
        "wait_timeout": ("1.5", 1.5),
        "health_check": ("false", False),
        "weights_check": ("false", False),
        "trust_server": ("[::1]:8080", ("::1", 8080)),
        "dry_run": ("true", True),
        "preflight_only": ("true", True),
        "release_wait": ("2.5", 2.5),
        "allow": ("gpu-busy,port-taken", frozenset({"gpu-busy", "port-taken"})),
        "logs": ("here", Path("here")),
        "show": ("quiet", False),
        "swift": ("s", "s"),
        "python": ("p", "p"),
    }
    assert {*said, "config", "gpus"} == set(words.KEYS["learner"])
    wish = words.read("learner", [*NEEDED, *(f"{key}={text}" for key, (text, _) in said.items())])
    assert {key: getattr(wish, key) for key in said} == {key: value for key, (_, value) in said.items()}


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("trust_server=8080", "it must be HOST:PORT, such as 127.0.0.1:8080"),
        ("trust_server=a:b", "it must be HOST:PORT"),
        ("show=never", "show is 'never'; it must be live or quiet"),
        ("swift=", "swift is empty"),
        ("logs=", "logs is empty"),
        ("wait_timeout=-1", "it must be a number of seconds"),
        ("wait_timeout=inf", "it must be a number of seconds"),
    ],
)
def test_wrong_values(word, message):
    with pytest.raises(InputError, match=message):
        words.read("learner", [*NEEDED, word])


@given(st.sampled_from(sorted(words.KEYS)), st.lists(st.one_of(TEXT, st.builds("{}={}".format, TEXT, TEXT))))
def test_any_words_are_read_or_refused(side, said):
    with contextlib.suppress(InputError):
        assert words.read(side, [*NEEDED, *said]).side == side
