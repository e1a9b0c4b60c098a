"""Runs `swift rollout` with a key that no command line and no log shows; run by the environment that has ms-swift.

ms-swift 4.6.0 takes the key as `--api_key` only: `swift` would print its whole command line, values of a YAML file
included, and pass it on (cli/main.py:101), and the server would log all its arguments (pipelines/base.py:20). Its
guard reads the key again at every request (pipelines/infer/rollout.py:741), so the key may be set after both.
"""

import os
import sys

VARIABLE = "ROLLOUT_SPLIT_API_KEY"


def main() -> None:
    """Builds the server from the arguments of the command line, sets its key, and runs it."""
    key = os.environ.pop(VARIABLE)
    from swift.pipelines.infer.rollout import SwiftRolloutDeploy  # noqa: PLC0415 - spawned workers import this file

    server = SwiftRolloutDeploy(sys.argv[1:])
    if not hasattr(server, "_require_api_key"):
        sys.exit("this ms-swift does not guard its rollout routes with a key (4.6.0 does); unset " + VARIABLE)
    server.args.api_key = key
    server.main()


if __name__ == "__main__":
    main()
