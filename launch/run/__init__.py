"""One start seen through: what is started, watched, logged, and ended whole."""
