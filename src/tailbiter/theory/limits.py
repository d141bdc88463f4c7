# SPDX-License-Identifier: MIT
"""Laws of the limits kind."""
