"""The flat layout: the YAML that `swift rlhf` reads, and beside it the one for `swift rollout`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from schema import catalogue
from schema.alike import alike
from schema.layouts.nested import TOP_LEVEL
from schema.layouts.preset import OTHER_ALGORITHMS
from schema.layouts.preset import Kind
from schema.layouts.preset import Preset
from schema.layouts.preset import Setting
from schema.resolve.tree import Branch
from schema.resolve.tree import Leaf
from schema.resolve.tree import data
from schema.split.gpus import Gpus
from schema.split.gpus import processes
from schema.swift import argument
from schema.swift.variables import NODES
from schema.swift.variables import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping
    from pathlib import Path

    from schema.place import Place
    from schema.resolve import Tree

#: The one key that is no argument: a mapping of environment variables (ms-swift 4.5.2, cli/main.py:53).
ENVIRONMENT = "ENV"
_HALF = ".rollout"


def server_half(path: Path) -> Path:
    """Where the server's half of a preset stands: x.rollout.yaml beside x.yaml."""
    return path.with_name(f"{path.stem}{_HALF}{path.suffix}")


def learner_half(path: Path) -> Path | None:
    """Where the learner's half stands, or None if this is no name of a server's half."""
    stem = path.stem.removesuffix(_HALF)
    return path.with_name(stem + path.suffix) if stem and path.stem.endswith(_HALF) else None


def is_learner_half(own: Branch) -> bool:
    """Whether a file is flat: no section is a mapping, and arguments of ms-swift stand at the top level."""
    if _has_sections(own):
        return False
    if "rlhf_type" in own.children:
        return True
    known = fields("trainer").keys() - {*TOP_LEVEL}
    return "extends" not in own.children and not known.isdisjoint(own.children)


def is_server_half(path: Path, own: Branch) -> bool:
    """Whether a file is flat, and has the name of a server's half."""
    other = {"rlhf_type", "extends"} & own.children.keys()
    return learner_half(path) is not None and not other and not _has_sections(own)


def _has_sections(own: Branch) -> bool:
    # DeepSpeed's configuration may be a mapping in both layouts.
    return any(isinstance(own.children.get(name), Branch) for name in TOP_LEVEL if name != "deepspeed")


@dataclass(frozen=True, eq=False)
class Flat(Preset):
    """A preset in the flat layout.

    Values are what ms-swift's parser makes of the words that its YAML reader puts on a command line.
    `server` is what the server's half says, or None if there is none.
    """

    layout = "flat"
    apart = True

    server: Branch | None

    @property
    def trees(self) -> tuple[Branch, ...]:
        """Both halves."""
        return (self.tree,) if self.server is None else (self.tree, self.server)

    @cached_property
    def kind(self) -> Kind:
        """What the file is, judged by rlhf_type; without it ms-swift trains DPO, or no rollouts at all."""
        algorithm = self.tree.value("rlhf_type")
        if algorithm is None:
            return Kind.GRPO if any(map(_is_of_grpo, map(str, self.tree.children))) else Kind.OTHER
        return Kind.OTHER if algorithm in OTHER_ALGORITHMS else Kind.GRPO

    @cached_property
    def block(self) -> Branch | None:
        """The server's half without its environment, or None."""
        if self.server is None:
            return None
        return self.server._replace(children=dict(arguments_of(self.server, "server")))

    def settings(self) -> Iterator[Setting]:
        """Every argument of the learner's half."""
        for name, tree in arguments_of(self.tree, "trainer"):
            yield Setting("", name, data(tree), tree.place, tree.key)

    def path(self, name: str) -> str:
        """The name itself."""
        return name

    def listed(self, value: object) -> str:
        """Plain: one word on a command line is a list of one, and numbers in a list crash ms-swift."""
        return str(value)

    def server_path(self, name: str = "") -> str:
        """The file of the server's half, and the name."""
        file = server_half(self.resolved.path).name
        return f"{file}: {name}" if name else file

    @property
    def learner_path(self) -> str:
        """The file of the learner's half."""
        return self.resolved.path.name

    @property
    def environment(self) -> str:
        """Where variables of a side are set, as messages name it."""
        return ENVIRONMENT

    def variable_path(self, name: str) -> str:
        """Where a variable is set, as messages name it."""
        return f"{ENVIRONMENT}.{name}"

    def missing(self) -> Iterator[tuple[str, Place]]:
        """The algorithm, which is DPO where nothing says it, the dataset, and the model, on both sides."""
        for name in ("rlhf_type", "model", "dataset"):
            if not self.value(name):
                yield name, self.start
        if self.block is not None and self.mode == "server" and self.block.find("model") is None:
            yield self.server_path("model"), self.block.key

    @property
    def learners(self) -> Gpus | None:
        """What `swift rlhf` starts by ENV: NPROC_PER_NODE on each of NNODES; the GPUs, if there are as many.

        torchrun takes 1 for what is unset, and is asked where either is set (ms-swift 3.10.0 to 4.6.0, cli/main.py
        use_torchrun, get_torchrun_args).
        """
        if self.nodes is None or self.processes is None:
            return None
        count, gpus = self.processes * self.nodes, self.gpus("learner")
        return Gpus(count, gpus if len(gpus) == count else ())

    @property
    def learners_source(self) -> str:
        """The variables of ENV that say it."""
        names = (name for name in (PROCESSES, NODES) if name in self.variables("learner"))
        return f"{' x '.join(names)} in ENV"

    @property
    def processes(self) -> int | None:
        """Learners on one node; None where ENV says nothing of them, or no number."""
        env = self.variables("learner")
        return processes(env.get(PROCESSES, "1")) if {PROCESSES, NODES} & env.keys() else None

    @property
    def nodes(self) -> int | None:
        """Nodes that learn together; None where ENV says no number."""
        return processes(self.nodes_wanted)

    @property
    def rollout_gpus(self) -> Gpus | None:
        """CUDA_VISIBLE_DEVICES in the server's ENV."""
        gpus = self.gpus("server")
        return Gpus(len(gpus), gpus) if gpus else None

    def gpus(self, side: str) -> tuple[str, ...]:
        """CUDA_VISIBLE_DEVICES in ENV of a half."""
        listed = self.variables(side).get("CUDA_VISIBLE_DEVICES", "")
        return tuple(gpu.strip() for gpu in listed.split(",") if gpu.strip())

    def variables(self, side: str) -> Mapping[str, str]:
        """ENV of a half, as ms-swift sets it."""
        half = self.server if side == "server" else self.tree
        environment = half.find(ENVIRONMENT) if half else None
        children = environment.children if isinstance(environment, Branch) else {}
        return {str(name): str(data(tree)) for name, tree in children.items()}


def _is_of_grpo(name: str) -> bool:
    # Other commands of ms-swift read vllm_* too, but no mode of it.
    return name == "vllm_mode" or bool(alike(name, ["rlhf_type"], 0.75))


def fields(side: str) -> Mapping[str, catalogue.Field]:
    """The arguments of a side, trainer or server, in the newest release."""
    newest = catalogue.release(catalogue.newest())
    return newest.trainer if side == "trainer" else newest.server


def arguments_of(half: Branch, side: str) -> Iterator[tuple[str, Tree]]:
    """The arguments of a side, as ms-swift's parser makes them of the words."""
    # Nulls and empty lists count as unset; yaml-argument says what ms-swift makes of them.
    known = fields(side)
    for name, tree in half.children.items():
        if name == ENVIRONMENT or data(tree) in (None, []):
            continue
        field = known.get(str(name))
        if isinstance(tree, Leaf) and field is not None:
            yield str(name), tree._replace(value=argument.parsed(field, tree.value))
        else:
            yield str(name), tree
