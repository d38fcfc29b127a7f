"""Media that several tests of batches share; they only read it, and give their output folders names of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.batch.disturbed import batch, ended
from tests.batch.test_batch_faults import make_media


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people, one clip of half a second; and what becomes of them, in `whole`."""
    folder = tmp_path_factory.mktemp("short")
    make_media(folder, clips=1, frames=12)
    code, _, told = ended(batch(folder, "whole"), 120)
    assert code == 0, told
    return folder


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a clip of three segments."""
    folder = tmp_path_factory.mktemp("long")
    make_media(folder, clips=1, frames=270)
    return folder
