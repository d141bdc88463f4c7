# SPDX-License-Identifier: MIT
"""Makes ``python -m tailbiter`` the same as ``tailbiter``."""

import sys

from tailbiter.cli import main

if __name__ == "__main__":
    sys.exit(main())
