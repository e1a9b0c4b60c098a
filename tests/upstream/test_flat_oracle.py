"""This project's verdicts and ms-swift's on flat mutants: read by its own command line, then constructed."""

import random
from urllib.parse import urlsplit

import pytest
import yaml

from schema import check
from schema.audit import Audit
from schema.errors import InputError
from schema.layouts.nested import ARGUMENT_SECTIONS
from schema.layouts.nested import REPOSITORY_KEYS
from schema.layouts.nested import SERVER_BLOCK
from schema.resolve import Workspace
from schema.split.gpus import Gpus
from schema.swift.roles import Role
from schema.swift.roles import fields
from tests.upstream import mutations
from tests.upstream import verdicts
from tests.upstream.disagreements import REJECTED_FLAT
from tests.upstream.disagreements import is_explained
from tests.upstream.oracle import Answer
from tests.upstream.oracle import Opinion
from tests.upstream.oracle import Request
from tests.upstream.verdicts import TABLES

SIDES = (("learner", 2), ("server", 6))


def flat(data):
    """Both files that mean what a nested preset means; lists hold texts, as the YAML reader wants."""
    learner = {}
    for section in ARGUMENT_SECTIONS:
        own = data.get(section) or {}
        learner |= {k: v for k, v in own.items() if k not in REPOSITORY_KEYS.get(section, ()) and v is not None}
    if (data.get("deepspeed") or {}).get("enabled") is True:
        learner["deepspeed"] = data["deepspeed"].get("config")
    block = data
    for step in SERVER_BLOCK:
        block = (block or {}).get(step)
    if block is None:
        return texts(learner), None
    shared = {name: learner[name] for name in fields(Role.BOTH) if name in learner}
    host, port = (learner.get(f"vllm_server_{name}") for name in ("host", "port"))
    if isinstance(urls := learner.get("vllm_server_base_url"), list) and host is None:
        host, port = [urlsplit(urls[0]).hostname], [urlsplit(urls[0]).port]
    listen = {"host": host[0], "port": port[0]} if isinstance(host, list) and isinstance(port, list) else {}
    return texts(learner), texts(shared | listen | block)


def texts(half):
    def said(value):
        return [str(item) if isinstance(item, int | float) else item for item in value]

    return {name: said(value) if isinstance(value, list) else value for name, value in half.items() if value != []}


def judged(world, case, folder):
    """Both verdicts on one case."""
    folder.mkdir()
    halves = dict(zip(("x.yaml", "x.rollout.yaml"), flat(case.data), strict=True))
    sides = {"x.yaml": ("learner", case.train), "x.rollout.yaml": ("server", case.rollout or 1)}
    answers = []
    for name, half in halves.items():
        if half is None:
            continue
        (folder / name).write_text(yaml.safe_dump(half, sort_keys=False), encoding="utf-8")
    for name, (side, gpus) in sides.items():
        if halves[name] is not None and (side == "learner" or halves["x.yaml"].get("vllm_mode") == "server"):
            answers.append(real(world, folder / name, side, gpus))
    return verdicts.Verdict(ours(world, case, folder / "x.yaml"), verdicts.first_error(answers))


def real(world, path, side, gpus):
    read = world.oracle.read(path)
    if read["error"]:
        return Answer(read["error"], ())
    return world.oracle.ask(Request(side, tuple(read["words"]), gpus))[0]


def ours(world, case, path):
    workspace = Workspace()
    options = check.Options(Gpus(case.rollout) if case.rollout else None, Gpus(case.train), world.version)
    try:
        found = Audit(workspace, options).of(check.load(workspace, path))
    except InputError as error:
        return Opinion(case, ("unreadable",), (), (error.message,))
    errors = [finding for finding in found if finding.is_error]
    return Opinion(case, tuple(f.rule for f in errors), (), tuple(f.message for f in errors))


#: A change to either half that ms-swift takes, and the rule that rejects it.
ONLY_HERE = [
    ("x.yaml", {"system": None}, "yaml-argument"),
    ("x.yaml", {"ENV": {"MAX_PIXELS": None}}, "yaml-environment"),
    ("x.rollout.yaml", {"max_length": 100}, "sides-differ"),
    ("x.rollout.yaml", {"port": 8081}, "server-address"),
]


@pytest.mark.parametrize(("name", "change", "rule"), ONLY_HERE, ids=[rule for *_, rule in ONLY_HERE])
def test_what_is_rejected_of_flat_yaml_alone(upstream, name, change, rule, tmp_path):
    case = upstream.bases()["summary_1024"]
    halves = dict(zip(("x.yaml", "x.rollout.yaml"), flat(case.data), strict=True))
    halves["x.yaml"]["max_length"] = halves["x.rollout.yaml"]["max_length"] = 6144
    halves[name] |= change
    for half, said in halves.items():
        (tmp_path / half).write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    assert rule in REJECTED_FLAT
    assert ours(upstream, case, tmp_path / "x.yaml").errors == (rule,)
    answers = [real(upstream, tmp_path / half, *side) for half, side in zip(halves, SIDES, strict=True)]
    assert [answer.error for answer in answers] == [None, None]


@pytest.fixture(scope="module")
def cases(upstream):
    rng = random.Random(mutations.SEED)
    bases = [upstream.bases()[name] for name in ("summary_1024", "summary_2048")]
    settings = [mutations.mutant(bases[0], *changes) for changes in mutations.settings(mutations.SETTINGS)]
    core = list(mutations.core(bases, upstream.release, rng))
    return bases + settings + rng.sample(core, 120)


def test_flat_mutants_are_judged_as_ms_swift_does(upstream, cases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flat")
    found = [judged(upstream, case, folder / str(number)) for number, case in enumerate(cases)]
    TABLES.append(verdicts.table(f"ms-swift {upstream.version}, flat YAML", found))
    assert [str(v) for v in found if v.kind.startswith("false") and not is_explained(v)] == []
    assert [str(v) + str(v.opinion.messages) for v in found[:2] if v.kind != "agreed: accepted"] == []
