# SPDX-License-Identifier: MIT
"""The command, before anything slow is imported: ``python -m tailbiter`` is the same as ``tailbiter``."""

import sys

from tailbiter._interrupt import guarded


def command() -> int:
    """Run the command line of this process.

    Returns
    -------
    int
        Exit status.
    """

    def load_and_run() -> int:
        from tailbiter.cli import main

        return main()

    return guarded(load_and_run)


if __name__ == "__main__":
    sys.exit(command())
