"""A lossless YAML editor: it knows keys, comments and text, and nothing of presets."""
