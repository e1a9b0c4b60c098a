"""From a checked preset to the command and the environment of each side."""
