"""What the lines of a run say of its time."""
