"""What golden cases of both layouts share."""

import shlex


def warnings(case):
    """What a call says on standard error: nothing but what the case's `warnings.txt` has."""
    file = case / "warnings.txt"
    return file.read_text() if file.exists() else ""


def words(case):
    """What a case is called with: the case's `args`."""
    return shlex.split((case / "args").read_text())
