"""What all tests share: how many examples Hypothesis makes."""

import amounts  # noqa: F401 - registers the profiles
from hypothesis import settings

settings.load_profile("repeatable")
