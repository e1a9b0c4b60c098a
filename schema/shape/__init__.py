"""What a model is made of, told by its config.json alone: nothing is loaded, and no model is known by name."""
