"""What vLLM itself logs of an engine: its memory when it starts, its work where statistics are on.

ms-swift turns the statistics off (4.5.2, infer_engine/vllm_engine.py:303) unless the preset says
`vllm_engine_kwargs: {disable_log_stats: false}`. An engine then logs a line about every ten seconds in which it
works (vLLM 0.23.0, v1/metrics/loggers.py).
"""

from __future__ import annotations

import re

_ENGINE = re.compile(r"\bEngine (\d{1,9}): Avg prompt throughput: ")
#: The numbers of such a line, by the name that a report has for each.
_STATISTICS = {
    "prompt_tps": re.compile(r"Avg prompt throughput: (\d{1,9}(?:\.\d{1,9})?) tokens/s"),
    "generation_tps": re.compile(r"Avg generation throughput: (\d{1,9}(?:\.\d{1,9})?) tokens/s"),
    "running": re.compile(r"Running: (\d{1,9}) reqs"),
    "waiting": re.compile(r"Waiting: (\d{1,9}) reqs"),
    "preemptions": re.compile(r"Preemptions: (\d{1,9})"),
    "kv_percent": re.compile(r"\b\w+ KV cache usage: (\d{1,9}(?:\.\d{1,9})?)%"),
}
#: What an engine logs when it starts; GPUs of one engine each log their own.
_START = {
    "kv_tokens": re.compile(r"\bKV cache size: (\d[\d,]{0,15}) tokens"),
    "kv_gib": re.compile(r"\bAvailable KV cache memory: (-?\d{1,9}(?:\.\d{1,9})?) GiB"),
    "weights_gib": re.compile(r"\bModel loading took (\d{1,9}(?:\.\d{1,9})?) GiB"),
}


def numbers(line: str) -> tuple[str, dict[str, float]] | None:
    """The numbers of a line of vLLM by name, of an engine's work (`engine`) or its memory (`cache`), if any."""
    if engine := _ENGINE.search(line):
        return "engine", {"engine": float(engine[1]), **_found(_STATISTICS, line)}
    memory = _found(_START, line) if "KV cache" in line or "Model loading" in line else {}
    return ("cache", memory) if memory else None


def _found(patterns: dict[str, re.Pattern[str]], line: str) -> dict[str, float]:
    found = {name: pattern.search(line) for name, pattern in patterns.items()}
    return {name: float(match[1].replace(",", "")) for name, match in found.items() if match}
