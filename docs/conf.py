# SPDX-License-Identifier: MIT
"""Sphinx: ``sphinx-build -W -b html docs build/docs``."""

from importlib.metadata import version as installed

project = "tailbiter"
copyright = "2026, the tailbiter authors"  # noqa: A001
version = release = installed("tailbiter")
extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
]
html_theme = "furo"
html_title = "tailbiter"
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's parameters say it in words
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False
exclude_patterns = ["_build"]
