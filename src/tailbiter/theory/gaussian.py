# SPDX-License-Identifier: MIT
"""Laws of the gaussian kind."""
