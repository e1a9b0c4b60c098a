"""The shipped presets construct ms-swift's arguments, and nothing is said to be ignored."""

import pytest

from tests.upstream.oracle import ROOT
from tests.upstream.oracle import Case
from tests.upstream.oracle import opinion_of
from tests.upstream.shipped import SHIPPED


def asked(upstream, name, **changes):
    file, rollout, train, kind = SHIPPED[name]
    said = opinion_of(Case(name, {}, rollout, train), ROOT / file, upstream.version)
    assert said.messages == ()
    requests = [with_model(request, upstream.model(kind)) for request in said.requests]
    return dict(zip([request.side for request in requests], upstream.oracle.ask(*requests), strict=True))


def with_model(request, model):
    words = list(request.argv)
    words[words.index("--model") + 1] = str(model)
    return request._replace(argv=tuple(words))


@pytest.mark.parametrize("name", SHIPPED)
def test_constructs(upstream, name):
    answers = asked(upstream, name)
    assert {side: answer.error for side, answer in answers.items()} == dict.fromkeys(answers)


@pytest.mark.parametrize("name", ["summary_1024", "summary_1024_attr_key_recall", "smoke"])
def test_says_of_nothing_that_it_is_ignored(upstream, name):
    answers = asked(upstream, name)
    assert set(answers) == {"learner", "server"}
    logs = [line for answer in answers.values() for line in answer.logs]
    assert [line for line in logs if "ignored" in line or "conflict" in line.lower()] == []
