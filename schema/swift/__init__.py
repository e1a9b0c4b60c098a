"""What ms-swift does with what it is given, where several rules, launchers or migrations ask."""
