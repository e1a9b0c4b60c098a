"""From a valid preset to the processes that run it: argument lists, environment, checks of the machine."""
