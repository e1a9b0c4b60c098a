"""Reads the state of this machine: ports, processes, Python environments, HTTP answers. It changes nothing."""
