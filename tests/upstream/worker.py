"""Constructs ms-swift's real arguments, one request a line; runs inside an upstream environment.

A request is a JSON object: `side` (learner or server), `argv`, or `keywords` (JSON) as training repositories pass
them, and `gpus`, what that side sees: on the learner one process each. The answer has `error` (type and text of
what ms-swift raised, or null) and `logs` (every record at WARNING or above). With `"ask": "options"` the answer is
the parser's options instead, with `"ask": "yaml"` and a `path` what the command line makes of that file.

Everything is ms-swift's own code but two things that a machine without GPUs cannot have:

- the network: the connection of VLLMClient, and the learners' process group, which is torch's own fake one;
- the devices: torch.cuda says that there are `gpus` of them.
"""

import dataclasses
import gc
import json
import logging
import os
import signal
import sys
from contextlib import redirect_stderr
from importlib import import_module
from importlib import metadata
from io import StringIO
from typing import Any

import torch
from swift.utils import utils
from torch.testing._internal.distributed.fake_pg import FakeStore
from transformers import HfArgumentParser
from transformers.utils.import_utils import is_torch_cuda_available

#: Seconds that one construction may take; it needs a tenth of one.
LIMIT = 60
#: Where 3.x and 4.x keep the arguments, the pipelines' base and the client of the rollout server; and what a
#: construction imports besides, so that no request has to wait for it.
PLACES = {
    "3": (
        "swift.llm.argument",
        "swift.llm.base",
        "swift.trainers.rlhf_trainer.vllm_client",
        "swift.trainers.rlhf_arguments",
        "trl.scripts.vllm_serve",
    ),
    "4": (
        "swift.arguments",
        "swift.pipelines.base",
        "swift.rlhf_trainers.vllm_client",
        "swift.rlhf_trainers.arguments",
    ),
}
LAZY = ("deepspeed", "transformers.integrations.deepspeed")


def main():
    """Answers until its input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what ms-swift prints must not look like an answer
    upstream = Upstream()
    gc.freeze()  # a child that never collects shares the memory of this process
    gc.disable()
    for line in sys.stdin:
        print(in_a_child(upstream, json.loads(line)), file=answers, flush=True)


class Upstream:
    """ms-swift, imported once.

    Attributes:
        gpus: how many GPUs torch says there are.
        classes: RLHFArguments and RolloutArguments, by side.
        pipeline: what parses a command line into them.
        parsers: the parser that ms-swift makes for each class, made once.
    """

    def __init__(self):
        self.gpus = 1
        os.environ["DS_ACCELERATOR"] = "cuda"  # else deepspeed compiles an operator for CPUs
        places = PLACES[metadata.version("ms-swift")[0]]
        arguments, base, client, *_ = (import_module(name) for name in (*places, *LAZY))
        self.classes = {"learner": arguments.RLHFArguments, "server": arguments.RolloutArguments}
        self.pipeline = base.SwiftPipeline
        self.parsers = {each: parser_of(each) for each in self.classes.values()}
        utils.HfArgumentParser = lambda classes: self.parsers[classes[0]]
        disconnect(client)
        self._see_gpus()

    def _see_gpus(self):
        getattr(is_torch_cuda_available, "cache_clear", lambda: None)()
        torch.cuda.is_available = lambda: True
        torch.cuda.device_count = lambda: self.gpus
        torch.cuda.current_device = lambda: 0
        torch.cuda.set_device = lambda *_: None
        torch.cuda.is_bf16_supported = lambda *_, **__: True
        torch.cuda.get_device_capability = lambda *_: (9, 0)
        torch.cuda.get_device_name = lambda *_: "none"

    def answer(self, request):
        """What ms-swift says to a request."""
        if request.get("ask") == "yaml":
            return read_yaml(request["path"])
        if request.get("ask") == "options":
            arguments = self.classes[request["side"]]
            return options(arguments, self.parsers[arguments])
        self.gpus = request["gpus"]
        if request["side"] == "learner":
            distribute(request["gpus"])
        logs = recorded()
        keywords = request.get("keywords")
        error = self._error(request["side"], request["argv"], json.loads(keywords) if keywords else {})
        return {"error": error, "logs": logs}

    def _error(self, side, argv, keywords):
        pipeline: Any = type(side, (self.pipeline,), {"args_class": self.classes[side], "run": None})
        said = StringIO()
        try:
            with redirect_stderr(said):
                if keywords:
                    self.classes[side](**keywords)
                else:
                    pipeline.__new__(pipeline)._parse_args(argv)
        except SystemExit:  # argparse has said why
            return "SystemExit: " + said.getvalue().strip().rpartition("error: ")[2]
        except BaseException as error:  # whatever it is, it is the answer
            return f"{type(error).__name__}: {error}"
        return None


def disconnect(client):
    """Takes the connection out of VLLMClient; what it checks of its arguments stays."""
    client.is_vllm_available = lambda: True
    for method in ("check_server", "close_communicator", "init_communicator"):
        setattr(client.VLLMClient, method, lambda *_, **__: None)


def in_a_child(upstream, request):
    """Answers in a forked process, so that no request finds what another one left behind."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(LIMIT)
        with os.fdopen(writer, "w") as pipe:
            json.dump(upstream.answer(request), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return text or json.dumps({"error": f"the process ended with status {status}", "logs": []})


def read_yaml(path):
    """What ms-swift's command line makes of a YAML file: the words, and the variables that it sets."""
    cli = import_module("swift.cli.main")
    before = dict(os.environ)
    positional = hasattr(cli, "parse_yaml_args")  # from 4.1.0 on
    words = [path] if positional else ["--config", path]
    try:
        (cli.parse_yaml_args if positional else cli.prepare_config_args)(words)
        " ".join(words)  # as cli_main prints them before it starts anything
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "words": [], "variables": {}}
    new = {name: value for name, value in os.environ.items() if before.get(name) != value}
    new.pop("SWIFT_CONFIG_FILE", None)
    return {"error": None, "words": words, "variables": new}


def distribute(world):
    """Makes this the first of `world` learners, as torchrun would."""
    places = {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": world, "LOCAL_WORLD_SIZE": world, "MASTER_PORT": 29500}
    os.environ.update({name: str(value) for name, value in places.items()}, MASTER_ADDR="127.0.0.1")
    torch.distributed.init_process_group("fake", rank=0, world_size=world, store=FakeStore())


def recorded():
    """A list that grows with every log record at WARNING or above, whatever logger it comes from."""
    logs = []

    def record(_, entry):
        if entry.levelno >= logging.WARNING:
            logs.append(f"{entry.name}: {entry.getMessage()}")

    logging.Logger.callHandlers = record  # type: ignore[method-assign]
    return logs


def parser_of(arguments):
    """The parser that ms-swift's parse_args makes for a class."""
    parse = HfArgumentParser.parse_args_into_dataclasses
    HfArgumentParser.parse_args_into_dataclasses = lambda parser, *_, **__: (parser, [])
    parser, _ = utils.parse_args(arguments, [])
    HfArgumentParser.parse_args_into_dataclasses = parse
    return parser


def options(arguments, parser):
    """The options of a parser, by name."""
    actions = {action.option_strings[0].removeprefix("--"): action for action in reversed(parser._actions)}
    fields = [field for field in dataclasses.fields(arguments) if field.init]
    return {field.name: option(field, actions[field.name]) for field in fields}


def option(field, action):
    """How the parser takes a field."""
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    return {
        "type": getattr(action.type, "__name__", str(action.type)),
        "many": action.nargs == "+",
        "choices": action.choices and list(action.choices),
        "default": "<required>" if default is dataclasses.MISSING else default,
    }


if __name__ == "__main__":
    main()
