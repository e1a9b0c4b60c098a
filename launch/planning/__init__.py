"""Every way to divide a node between rollouts and learning: what fits, and how long a step takes."""
