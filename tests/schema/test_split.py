"""GPUs of both sides."""

import pytest

from schema.errors import InputError
from schema.split import Gpus
from schema.split import parse_gpus
from schema.split import refuse_overlap


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("6", Gpus(6)),
        (" 6 ", Gpus(6)),
        ("0,1,2", Gpus(3, ("0", "1", "2"))),
        ("0, 1", Gpus(2, ("0", "1"))),
        ("3,", Gpus(1, ("3",))),
        ("7,0", Gpus(2, ("7", "0"))),
        ("GPU-8f6c-1,MIG-2a", Gpus(2, ("GPU-8f6c-1", "MIG-2a"))),
    ],
)
def test_gpus_are_a_number_or_a_list(text, gpus):
    assert parse_gpus(text) == gpus


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0", "from 1 to 4096 GPUs"),
        ("", "neither a number"),
        (",", "neither a number"),
        ("-1", "neither a number"),
        ("1.5", "neither a number"),
        ("a,b", "neither a number"),
        ("0,,1", "neither a number"),
        ("0 1", "neither a number"),
        ("0-3", "neither a number"),
        ("0,1,0", "GPU 0 is listed twice"),
    ],
)
def test_anything_else_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        parse_gpus(text)


@pytest.mark.parametrize(
    ("rollout", "train"),
    [(None, None), ("6", "2"), ("0,1", None), ("0,1", "2,3"), ("2", "0,1"), ("0,1", "2")],
)
def test_sides_that_share_no_listed_gpu_pass(rollout, train):
    refuse_overlap(rollout and parse_gpus(rollout), train and parse_gpus(train))


def test_gpu_on_both_sides_is_refused():
    with pytest.raises(InputError, match="GPU 1, 2 is on both sides"):
        refuse_overlap(parse_gpus("0,1,2"), parse_gpus("2,1"))
