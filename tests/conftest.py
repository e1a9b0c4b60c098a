"""What all tests share: how many examples Hypothesis makes."""

from hypothesis import settings

from tests import amounts  # noqa: F401 - registers the profiles

settings.load_profile("repeatable")
