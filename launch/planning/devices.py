"""What GPUs can do at the most, as NVIDIA's data sheets tell it."""

from __future__ import annotations

from typing import NamedTuple

from schema.split import nvidia

#: How far memory as someone says it may be from a GPU's, as a share: nvidia-smi tells less than what is sold.
_NEAR = 0.07


class Device(NamedTuple):
    """One GPU.

    Attributes:
        name: as nvidia-smi tells it, or the part of it that matters.
        gib: memory, as nvidia-smi tells it.
        flops: floating-point operations a second in matrix products of bfloat16 numbers that are not sparse.
        bandwidth: bytes a second that it reads of its memory.
    """

    name: str
    gib: float
    flops: float
    bandwidth: float


#: Of NVIDIA's data sheets (H200, H100, B200, H20, L40S, A100, L4 Tensor Core GPU; RTX 4090), which mostly tell the
#: operations of sparse matrices, twice as many. H800 and A800 differ in NVLink alone. Where several have as much
#: memory, the first one is taken.
DEVICES = (
    Device("H100", 79.6, 989e12, 3.35e12),
    Device("H200", 140.4, 989e12, 4.8e12),
    Device("B200", 179.1, 2250e12, 8.0e12),
    Device("L40S", 45.0, 362e12, 0.864e12),
    Device("A100-SXM4-40GB", 40.0, 312e12, 1.555e12),
    Device("A100-SXM4-80GB", 80.0, 312e12, 2.039e12),
    Device("A100-PCIE-40GB", 40.0, 312e12, 1.555e12),
    Device("A100 80GB PCIe", 80.0, 312e12, 1.935e12),
    Device("H100 PCIe", 79.6, 756e12, 2.0e12),
    Device("H20", 95.6, 148e12, 4.0e12),
    Device("H800", 79.6, 989e12, 3.35e12),
    Device("A800", 80.0, 312e12, 2.039e12),
    Device("RTX 4090", 24.0, 165e12, 1.008e12),
    Device("L4", 22.5, 121e12, 0.3e12),
)


def find(gib: float, name: str = "") -> Device | None:
    """The GPU of a name, else the first one with about so much memory; None if none is known.

    The name is as nvidia-smi tells it, such as NVIDIA H100 80GB HBM3; GiB are as it tells them, or as they are
    sold.
    """
    named = [each for each in DEVICES if each.name in name]
    if named:
        return max(named, key=lambda each: len(each.name))
    return next((each for each in DEVICES if not name and abs(each.gib / gib - 1) <= _NEAR), None)


def here(gib: float) -> Device | None:
    """The GPU of this machine; None if nvidia-smi names none that is known, or several kinds."""
    names = set(nvidia.names())
    return find(gib, names.pop()) if len(names) == 1 else None
