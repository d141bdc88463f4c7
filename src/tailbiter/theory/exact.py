# SPDX-License-Identifier: MIT
"""Laws of the exact kind."""
