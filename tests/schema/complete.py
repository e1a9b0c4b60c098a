"""Presets that have all that they need, for others to extend, and the project around them."""

from pathlib import Path

TESTS = Path(__file__).parents[1]
SERVER = (TESTS / "examples" / "base" / "server.yaml").read_text()
COLOCATE = (TESTS / "examples" / "base" / "colocate.yaml").read_text()
ROOT = '[tool.rollout-split.repository-keys]\ntraining = ["curriculum_stage"]\n'
