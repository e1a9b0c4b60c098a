"""Extracts the catalogue's data from the wheels of ms-swift, transformers and vLLM, without importing them.

Run ``python -m tools.extract``; it needs pip and the package index.
"""
