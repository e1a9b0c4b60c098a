"""What `swift rollout` and a learner in server mode need where there is no accelerator.

ms-swift imports it as one of external_plugins, in the server, its workers and the learner; vLLM as a general
plugin in its engine processes, which those do not reach. Everything else is ms-swift's and vLLM's own.
"""

import contextlib
import os
import sys
import threading
import time

import torch
from torch.nn import functional
from vllm.distributed.device_communicators.pynccl import PyNcclCommunicator
from vllm.model_executor.layers import utils

#: Set, it leaves vLLM's weights packed for the CPU, so that every load of new ones fails.
PACKED = "CPU_PACKED_WEIGHTS"
#: Set, it names the place where the learner stays, so that a test meets it there and nowhere else.
PAUSE = "LEARNER_PAUSES"


def install():
    """What vLLM calls; importing has done it."""


def pause(place):
    """Stays for longer than any test waits, if this is the place."""
    if os.environ.get(PAUSE) == place:
        print(f"the learner pauses as it {place}", flush=True)
        time.sleep(3600)


def count_devices(arguments):
    """ms-swift counts accelerators before it starts (4.6.0, arguments/deploy_args.py:142); let it find one."""
    arguments.get_device_count = lambda: 1


def broadcast(communicator, tensor, src, stream=None):
    """Weights go through the TCPStore of the group that ms-swift opened, for without NCCL vLLM sends nothing.

    As with NCCL, a learner whose server is gone waits for it for ever.
    """
    group = communicator.group
    if group.rank == src:
        pause("sends weights")
    try:
        received = group.broadcast(tensor.detach(), src)
        group.barrier()
    except RuntimeError:
        if group.rank == src:
            threading.Event().wait()
        raise
    if group.rank != src:
        tensor.copy_(received)


def keep_weights(layer, remove_weight):
    """vLLM packs linear weights for the CPU and drops what was loaded, so it cannot load again."""
    layer.cpu_linear = functional.linear


PyNcclCommunicator.device = torch.device("cpu")
PyNcclCommunicator.broadcast = broadcast
# ms-swift waits for a stream and enters a device around each transfer.
torch.cuda.synchronize = lambda device=None: None
torch.cpu.device = contextlib.nullcontext
if PACKED not in os.environ:
    utils.dispatch_cpu_unquantized_gemm = keep_weights
if "swift.arguments.deploy_args" in sys.modules:
    count_devices(sys.modules["swift.arguments.deploy_args"])
