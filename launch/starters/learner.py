"""Runs a learner whose requests to its rollout server carry a key; run by torchrun in the learner's environment.

ms-swift 4.6.0 guards the server's routes, but its own client sends no key (rlhf_trainers/vllm_client.py: plain
`requests` sessions), so this module adds it to requests for that one server, and to no other.
"""

import os
import runpy
import sys

import requests

VARIABLE, ORIGIN = "ROLLOUT_SPLIT_API_KEY", "ROLLOUT_SPLIT_ORIGIN"


def main() -> None:
    """Runs the module that the first argument names, with the other arguments."""
    key, origin = os.environ.pop(VARIABLE), os.environ.pop(ORIGIN) + "/"
    plain = requests.Session.request

    def request(self, method, url, **options):  # noqa: ANN001, ANN003, ANN202
        if str(url).startswith(origin):
            options["headers"] = {**(options.get("headers") or {}), "Authorization": f"Bearer {key}"}
        return plain(self, method, url, **options)

    requests.Session.request = request
    del sys.argv[0]
    sys.path[0] = os.getcwd()  # noqa: PTH109 - as `python -m` does
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
