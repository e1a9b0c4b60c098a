"""How presets change: from vLLM colocate mode to server mode, line by line, proven before it is written."""
