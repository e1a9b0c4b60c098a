"""What all tests share: how many examples Hypothesis makes."""

from hypothesis import settings

# The same examples in every run; `pytest --hypothesis-profile thorough` looks for new ones.
settings.register_profile("repeatable", max_examples=80, derandomize=True, deadline=None)
settings.register_profile("thorough", max_examples=5000, deadline=None)
settings.load_profile("repeatable")
