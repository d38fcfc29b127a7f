"""What all tests share: a cache of their own, the folder of real media, how networks run, and imports of helpers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Nothing of what the tests perceive goes into the user's cache, or comes from it."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETARGET_CACHE", str(folder))
        patch.delenv("RETARGET_CACHE_LIMIT", raising=False)
        patch.setenv("PYTHONPATH", str(ROOT / "src") + os.pathsep + os.environ.get("PYTHONPATH", ""))
        yield folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """../shared/data with media of real people; tests that ask for it are skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: real media are never committed")
    return folder


@pytest.fixture
def no_gradients() -> Iterator[None]:
    """Nothing learns."""
    import torch  # here, so that tests of what is light do not wait for it

    with torch.no_grad():
        yield


@pytest.fixture(params=["packed", "plain"])
def convolutions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """For networks made ready: once with weights packed for the processor, once as where that can't be done."""
    from retarget_cli.networks import packed

    if request.param == "plain":
        monkeypatch.setattr(packed, "can_pack", lambda: False)
    elif not (packed.can_pack() and packed.can_pack_volumes()):
        pytest.skip("this build of torch has no packed convolutions")
