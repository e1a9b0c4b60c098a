"""Both verdicts on a preset: ours, and real ms-swift's on the arguments that our launchers would pass."""

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import yaml

from launch.argv import arguments as argv
from schema import check
from schema.audit import Audit
from schema.errors import InputError
from schema.resolve import Workspace
from schema.split.gpus import Gpus

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("worker.py")


class Request(NamedTuple):
    """One construction: whose arguments, the words (or keywords, as JSON), and the GPUs that this side sees."""

    side: str
    argv: tuple[str, ...]
    gpus: int
    keywords: str = ""


class Answer(NamedTuple):
    """What ms-swift said: its error or None, and its warnings."""

    error: str | None
    logs: tuple[str, ...]


class Case(NamedTuple):
    """A preset as data, the split to check it against, and whether every value in it is meant to be right."""

    name: str
    data: dict
    rollout: int | None = 6
    train: int = 2
    right: bool = True


class Opinion(NamedTuple):
    """What this project says of a case, and what to ask ms-swift about it."""

    case: Case
    errors: tuple[str, ...]
    requests: tuple[Request, ...]
    messages: tuple[str, ...] = ()


def opinion(case: Case, folder: Path, version: str) -> Opinion:
    """Writes a case as YAML and validates the file as validate-config does."""
    path = folder / "preset.yaml"
    folder.mkdir(parents=True)
    path.write_text(yaml.safe_dump(case.data, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return opinion_of(case, path, version)


def opinion_of(case: Case, path: Path, version: str) -> Opinion:
    """Validates a preset file."""
    rollout = Gpus(case.rollout) if case.rollout else None
    options = check.Options(rollout, Gpus(case.train), version)
    workspace = Workspace()
    try:
        preset = check.load(workspace, path)
    except InputError as error:
        return Opinion(case, ("unreadable",), (), (error.message,))
    found = [finding for finding in Audit(workspace, options).of(preset) if finding.is_error]
    requests = tuple(_requests(check.context(workspace, preset, options), case))
    return Opinion(case, tuple(f.rule for f in found), requests, tuple(f.message for f in found))


def _requests(context, case):
    learner = argv.learner(context, case.train)
    yield Request("learner", learner[learner.index(argv.SWIFT_RLHF) + 1 :], case.train)
    if context.preset.mode == "server":
        # Without an address or a block there is no server to start, and the preset is rejected anyway.
        with suppress(InputError):
            yield Request("server", argv.server(context)[2:], case.rollout or 1)


class Oracle:
    """Real ms-swift in worker processes; an answer is remembered, so that each question is asked once."""

    def __init__(self, python: Path, folder: Path, overlay: Path | None = None, processes: int = 2):
        variables = {"HOME": str(folder), "PATH": os.environ["PATH"], "TMPDIR": str(folder)}
        variables |= {"HF_HUB_OFFLINE": "1", "MODELSCOPE_OFFLINE": "1"}
        if overlay is not None:  # packages that stand in for the environment's own
            variables["PYTHONPATH"] = str(overlay)
        self._log = (folder / "worker.log").open("w")
        self._workers = [self._start(python, folder, variables) for _ in range(processes)]
        self._answers: dict[Request, Answer] = {}

    def _start(self, python, folder, variables):
        return subprocess.Popen(
            [python, WORKER],
            cwd=folder,
            env=variables,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    def close(self):
        """Ends the workers."""
        for worker in self._workers:
            worker.communicate()
        self._log.close()

    def options(self, side):
        """The options of the real parser of a side."""
        return self._say(self._workers[0], {"side": side, "ask": "options"})

    def read(self, path):
        """What ms-swift's command line makes of a YAML file: its error or None, words, and variables."""
        return self._say(self._workers[0], {"ask": "yaml", "path": str(path)})

    def ask(self, *requests: Request) -> list[Answer]:
        """The answers to some requests, in their order."""
        new = list(dict.fromkeys(request for request in requests if request not in self._answers))
        count = len(self._workers)
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(self._work, self._workers, (new[first::count] for first in range(count))))
        return [self._answers[request] for request in requests]

    def _work(self, worker, requests):
        for request in requests:
            said = self._say(worker, request._asdict())
            self._answers[request] = Answer(said["error"], tuple(said["logs"]))

    def _say(self, worker, message):
        worker.stdin.write(json.dumps(message) + "\n")
        worker.stdin.flush()
        return json.loads(worker.stdout.readline())
