"""How long whole processes take, beside tools that read the same files."""
