"""Scripts: a flat pair beside one, which is then migrated as any other; the script itself stays."""
