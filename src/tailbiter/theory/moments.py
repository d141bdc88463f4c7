# SPDX-License-Identifier: MIT
"""Laws of the moments kind."""
