# SPDX-License-Identifier: MIT
"""A page in a browser, for what is tested in one."""

from collections.abc import Iterator

import pytest

from tests.report.browser import Page, browser


@pytest.fixture(scope="package")
def started() -> Iterator[Page]:
    """One browser for all tests: starting takes longer than they do."""
    with browser() as opened:
        yield opened


@pytest.fixture
def page(started: Page) -> Iterator[Page]:
    """A page that must neither complain nor ask the network for anything."""
    started.complaints.clear()
    started.requests.clear()
    yield started
    assert not started.complaints
    assert started.requests
    assert all(url.startswith(("file:", "data:")) for url in started.requests)
