"""What golden cases of both layouts share."""


def warnings(case):
    """What a call says on standard error: nothing but what the case's `warnings.txt` has."""
    file = case / "warnings.txt"
    return file.read_text() if file.exists() else ""
