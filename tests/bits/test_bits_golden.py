# SPDX-License-Identifier: MIT
"""The committed hashes, under the promise that ``tests/bits/gallery.py`` makes."""

import json

import pytest

import tailbiter as tb
from tailbiter import _core
from tests.bits.gallery import GOLDEN, bent, continuous, fingerprint, gallery, with_snapshots

COMMITTED = json.loads(GOLDEN.read_text(encoding="utf-8"))
SPECS = gallery() | bent() | continuous()


def test_hashes_belong_to_this_stream() -> None:
    assert COMMITTED["stream_version"] == _core.build_info()["stream_version"]
    assert COMMITTED["runs"].keys() == SPECS.keys()


@pytest.mark.parametrize("name", SPECS)
def test_run_has_its_committed_hash(name: str) -> None:
    spec = SPECS[name]
    ds = tb.simulate(spec, record=with_snapshots(spec), threads=1)
    assert fingerprint(ds) == COMMITTED["runs"][name]
