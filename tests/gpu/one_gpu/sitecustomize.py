"""Lets a rollout server and its learner share one GPU: weights go over TCP, since NCCL refuses two ranks on a GPU.

Python imports it by itself in each process that has this folder on PYTHONPATH; `smoke.py --share` puts it there.
It is too slow for work, and says nothing about NCCL.
"""

import importlib.abc
import importlib.util
import sys

NAME = "vllm.distributed.device_communicators.pynccl"


class _Finder(importlib.abc.MetaPathFinder):
    """Changes vLLM's communicator as soon as its module is loaded; loading it here would load vLLM everywhere."""

    def find_spec(self, name, path, target=None):
        if name != NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            _replace(module.PyNcclCommunicator)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _replace(communicator):
    import torch

    def begin(self, group, device, library_path=None):
        self.group, self.rank, self.world_size = group, group.rank, group.world_size
        self.device = torch.device("cuda", device) if isinstance(device, int) else torch.device(device)
        self.available, self.disabled = True, False

    def broadcast(self, tensor, src, stream=None):
        received = self.group.broadcast(tensor.detach().cpu(), src)
        if self.rank != src:
            tensor.copy_(received)

    communicator.__init__, communicator.broadcast = begin, broadcast


sys.meta_path.insert(0, _Finder())
