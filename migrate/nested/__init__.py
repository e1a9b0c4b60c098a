"""The nested layout: sections, bases and the server's block, which may stand in several files."""
