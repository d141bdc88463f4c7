# SPDX-License-Identifier: MIT
"""Speed of `tailbiter` beside what a user would otherwise write, measured in one run.

`python -m bench` prints a table of ratios with the bar and the aim of each, the floors that no
implementation on this machine can pass, and writes JSON on request. Every side records the same
three variables (survivors, entropy, tail mass) at every generation.
"""
