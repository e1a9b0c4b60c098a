"""How much memory a split takes, told before a GPU is taken: pure functions of config.json and settings."""
