# SPDX-License-Identifier: MIT
"""Settings shared by every test."""

import os
import signal

from hypothesis import settings

# A shell starts background jobs with Ctrl-C ignored, and children inherit that: tests that interrupt a run
# would wait for ever. A handler of our own becomes the default again in every child.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Examples depend on the test alone: no clock, no database of past failures. What passed once passes again.
settings.register_profile("ci", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("verification", parent=settings.get_profile("ci"), max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
