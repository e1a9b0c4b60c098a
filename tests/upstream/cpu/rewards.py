"""A reward that tells the completions of a random model apart, so that a step changes the weights."""

from plugin import pause
from swift.rewards import ORM
from swift.rewards import orms


class Letters(ORM):
    """The share of letters, spaces and digits."""

    def __call__(self, completions, **_):
        """One reward a completion."""
        pause("trains")
        return [sum(sign.isalnum() or sign == " " for sign in text) / max(len(text), 1) for text in completions]


orms["letters"] = Letters
pause("loads")
