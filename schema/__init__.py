"""What a valid preset is: resolving, models, rules, and the launch plan made of it."""
