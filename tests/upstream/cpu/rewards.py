"""A reward that tells the completions of a random model apart, so that a step changes the weights.

And, by order of a test, a request for completions that fails.
"""

import os
from itertools import count

from plugin import pause
from swift.rewards import ORM
from swift.rewards import orms
from swift.rlhf_trainers.vllm_client import VLLMInferClient

#: Set, it numbers the request for completions that fails, as if the server had answered 500.
FAILS = "ROLLOUT_FAILS"


class Letters(ORM):
    """The share of letters, spaces and digits."""

    def __call__(self, completions, **_):
        """One reward a completion."""
        pause("trains")
        return [sum(sign.isalnum() or sign == " " for sign in text) / max(len(text), 1) for text in completions]


def failing(infer, number):
    """Asks a server for completions, but for one time."""
    numbers = count(1)

    def asks(*arguments, **options):
        if next(numbers) == number:
            raise RuntimeError("Server 0 failed: 500, by order of a test")
        return infer(*arguments, **options)

    return asks


orms["letters"] = Letters
if FAILS in os.environ:
    VLLMInferClient.infer = failing(VLLMInferClient.infer, int(os.environ[FAILS]))
pause("loads")
