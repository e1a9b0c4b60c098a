"""What the logs of a run say in figures, and Markdown tables of them."""

import re
from statistics import median
from typing import Any

_KV = re.compile(r"GPU KV cache size: ([\d,]+) tokens")
_ENGINES = re.compile(r"Maximum concurrency for ([\d,]+) tokens per request: ([\d.]+)x")
_TIME = re.compile(r"smoke-time (\w+) ([\d.]+)")
_MEMORY = re.compile(r"smoke-memory ([\d.]+)")


def kv_tokens(said: str) -> int | None:
    """Tokens of one engine's KV cache, as vLLM tells them."""
    found = _KV.search(said)
    return int(found[1].replace(",", "")) if found else None


def concurrency(said: str) -> str:
    """How many sequences of full length fit, as vLLM tells it."""
    found = _ENGINES.search(said)
    return f"{found[2]}x of {found[1]}" if found else ""


def steps(said: str) -> list[dict[str, float]]:
    """Seconds of each optimizer step, and of what it spent on generating and on moving weights."""
    found, parts = [], {"generate": 0.0, "sync": 0.0, "forward": 0.0}
    for name, seconds in _TIME.findall(said):
        if name != "step":
            parts[name] += float(seconds)
            continue
        found.append({"step": float(seconds), **parts})
        parts = dict.fromkeys(parts, 0.0)
    return found


def learner_memory(said: str) -> float | None:
    """The most GiB that torch held on the first learner's GPU."""
    return max(map(float, _MEMORY.findall(said)), default=None)


def typical(found: list[dict[str, float]], name: str) -> float:
    """The median over the steps, without the first, which compiles and fills caches."""
    return median(step[name] for step in found[1:] or found)


def table(head: list[str], rows: list[list[Any]]) -> str:
    """A Markdown table."""
    lines: list[list[Any]] = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
