"""Nulls that --mask-bases writes: a training repository passes them on as None, and ms-swift takes them."""

import json

import pytest

from launch.argv import arguments as argv
from migrate.directions import ADDRESS
from schema import check
from schema.resolve import Workspace
from schema.split.gpus import Gpus
from schema.swift.roles import Role
from schema.swift.roles import fields
from tests.upstream.oracle import ROOT
from tests.upstream.oracle import Request
from tests.upstream.shipped import SHIPPED

MASKED = {
    "smoke": (*fields(Role.SERVER), *fields(Role.COLOCATE)),
    "summary_1024": (*fields(Role.SERVER), *fields(Role.COLOCATE)),
    "summary_2048": (*ADDRESS, "async_generate"),
}


@pytest.mark.parametrize("release", ["upstream", "oldest"])
@pytest.mark.parametrize("name", MASKED)
def test_constructs_with_nulls(release, name, request):
    upstream = request.getfixturevalue(release)
    file, _, learners, kind = SHIPPED[name]
    workspace = Workspace()
    about = check.context(workspace, check.load(workspace, ROOT / file), check.Options(None, Gpus(learners)))
    keywords = argv.learner_arguments(about, learners) | {"model": str(upstream.model(kind))}
    keywords |= {field: None for field in MASKED[name] if field in upstream.release.trainer}
    keywords = {field: value for field, value in keywords.items() if field in upstream.release.trainer}
    [answer] = upstream.oracle.ask(Request("learner", (), learners, json.dumps(keywords)))
    assert answer.error is None
    assert [line for line in answer.logs if "vllm_max_model_len" in line] == []


def test_a_value_that_is_wrong_is_still_refused(upstream):
    file, _, learners, kind = SHIPPED["smoke"]
    workspace = Workspace()
    about = check.context(workspace, check.load(workspace, ROOT / file), check.Options(None, Gpus(learners)))
    keywords = argv.learner_arguments(about, learners) | {"model": str(upstream.model(kind)), "vllm_mode": None}
    [answer] = upstream.oracle.ask(Request("learner", (), learners, json.dumps(keywords)))
    assert answer.error == "ValueError: vllm_mode is required when use_vllm is true"
