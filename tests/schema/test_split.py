"""GPUs of both sides."""

import pytest

from schema.check import load
from schema.errors import InputError
from schema.resolve import Project
from schema.resolve import Workspace
from schema.resolve.settings import Settings
from schema.split.gpus import Gpus
from schema.split.gpus import parse_gpus
from schema.split.gpus import project_split
from schema.split.gpus import refuse_overlap


@pytest.mark.parametrize(
    ("text", "gpus"),
    [
        ("6", Gpus(6)),
        (" 6 ", Gpus(6)),
        ("0,1,2", Gpus(3, ("0", "1", "2"))),
        ("0, 1", Gpus(2, ("0", "1"))),
        ("3,", Gpus(1, ("3",))),
        ("7,0", Gpus(2, ("7", "0"))),
        ("0-5", Gpus(6, ("0", "1", "2", "3", "4", "5"))),
        ("6-7,0,2-2", Gpus(4, ("6", "7", "0", "2"))),
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
        ("0-x", "neither a number"),
        ("0-1-2", "neither a number"),
        ("3-0", "3-0 is not a range of GPUs: it runs backwards; write 0-3"),
        ("0-3,2", "GPU 2 is listed twice in '0-3,2'"),
        ("0-999999999", "0-999999999 has more than 4096 GPUs"),
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


def project(**settings):
    return Project(settings=Settings(**{name.replace("_", "-"): value for name, value in settings.items()}))


@pytest.fixture
def loaded(preset):
    return lambda text, base="server.yaml": load(Workspace(), preset(text, base=base))


SIZE = "custom: {{extra: {{rollout_server: {{vllm_tensor_parallel_size: {}, vllm_data_parallel_size: {}}}}}}}"


@pytest.mark.parametrize(
    ("settings", "tensor", "engines", "shares"),
    [
        ({}, 1, 6, (None, None)),
        ({"rollout_gpus": 6, "train_gpus": 2}, 1, 3, (6, 2)),
        ({"gpus": 8}, 1, 6, (6, 2)),
        ({"gpus": 8}, 2, 1, (2, 6)),
        ({"gpus": 8}, 4, 2, (8, None)),
        ({"gpus": 8, "rollout_gpus": 4}, 1, 6, (4, 4)),
        ({"gpus": 8, "train_gpus": 1}, 1, 6, (7, 1)),
    ],
)
def test_of_a_node_the_server_takes_its_engines(loaded, settings, tensor, engines, shares):
    assert project_split(project(**settings), loaded(SIZE.format(tensor, engines))) == shares


@pytest.mark.parametrize(
    ("gpus", "tensor", "shares"), [(8, 1, (6, 2)), (8, 4, (4, 4)), (4, 1, (3, 1)), (2, 1, (1, 1)), (16, 8, (8, 8))]
)
def test_a_preset_without_a_server_gets_whole_engines_of_three_quarters(loaded, gpus, tensor, shares):
    preset = loaded(f"rlhf: {{vllm_tensor_parallel_size: {tensor}}}", "colocate.yaml")
    assert project_split(project(gpus=gpus), preset) == shares
