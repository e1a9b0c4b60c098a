"""How many examples the property tests make, and that these are not all refused."""

from contextlib import contextmanager

from hypothesis import settings

#: Examples of a test that says no number of its own.
USUAL = 80

# The same examples in every run; `pytest --hypothesis-profile thorough` looks for new ones, in every test.
settings.register_profile("repeatable", max_examples=USUAL, derandomize=True, deadline=None)
settings.register_profile("thorough", max_examples=60 * USUAL, deadline=None)


def examples(number):
    """Settings of a test whose examples take long, or tell little: so many, and as many times more if thorough."""
    return settings(max_examples=number * settings().max_examples // USUAL)


@contextmanager
def floor(least):
    """A list to which each example adds whether it showed something; a share of them must have."""
    showed = []
    yield showed
    assert sum(showed) >= least * len(showed) > 0, f"{sum(showed)} of {len(showed)} examples showed something"
