"""From a valid preset to the processes that run it: commands, checks of the machine, starts that are watched."""
