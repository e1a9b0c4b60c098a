"""Looks at this machine: ports, processes, GPUs, Python environments, what answers HTTP. It changes nothing."""
