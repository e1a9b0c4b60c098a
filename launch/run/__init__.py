"""Runs one side from its start to its end: starts it, watches it, keeps its logs, and ends all its processes."""
