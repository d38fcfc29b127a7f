"""The cache on disk: bounded, shared, and never in the way."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import pytest

from retarget_cli.core.errors import InputError, UsageError
from retarget_cli.perception import cache as cache_module
from retarget_cli.perception.cache import Cache, cache_key, content_hash, default_cache

ARRAYS = {"pose": np.arange(12, dtype=np.float32).reshape(4, 3), "present": np.array([True, False])}


def _age(cache: Cache, key: str, seconds: float) -> None:
    path = cache.folder / f"{key}.safetensors"
    moment = path.stat().st_mtime - seconds
    os.utime(path, (moment, moment))


def test_gives_back_what_was_put(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "deep" / "cache", 10**6)
    assert cache.get("a") is None
    cache.put("a", ARRAYS, {"clip": "dance.mp4"})
    found = cache.get("a")
    assert found is not None
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert cache.get("b") is None


def test_keeps_sliced_arrays_right(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10**6)
    whole = np.arange(24, dtype=np.float32).reshape(4, 6)
    cache.put("a", {"part": whole[:, ::2].T}, {})
    found = cache.get("a")
    assert found is not None
    np.testing.assert_array_equal(found["part"], whole[:, ::2].T)


def test_drops_the_least_recently_used(tmp_path: Path) -> None:
    entry = {"x": np.zeros(1000, dtype=np.uint8)}
    cache = Cache(tmp_path, 2500)
    cache.put("old", entry, {})
    cache.put("new", entry, {})
    _age(cache, "old", 100)
    _age(cache, "new", 50)
    assert cache.get("old") is not None  # used again: now the younger one
    cache.put("third", entry, {})
    assert cache.get("new") is None
    assert cache.get("old") is not None
    assert cache.get("third") is not None
    assert cache.info().bytes_used <= 2500


def test_an_entry_above_the_limit_pushes_nothing_out(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 2500)
    cache.put("small", {"x": np.zeros(100, dtype=np.uint8)}, {})
    cache.put("huge", {"x": np.zeros(5000, dtype=np.uint8)}, {})
    assert cache.get("small") is not None
    assert cache.get("huge") is None


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_a_damaged_entry_is_absent_and_removed(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(tmp_path, 10**6)
    cache.put("a", ARRAYS, {})
    path = tmp_path / "a.safetensors"
    path.write_bytes({"truncated": path.read_bytes()[:-5], "text": b"hello", "empty": b""}[damage])
    with caplog.at_level(logging.WARNING):
        assert cache.get("a") is None
    assert "damaged" in caplog.text
    assert not path.exists()
    cache.put("a", ARRAYS, {})
    assert cache.get("a") is not None


def test_works_without_a_writable_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    obstacle = tmp_path / "file"
    obstacle.write_text("in the way")
    cache = Cache(obstacle / "cache", 10**6)
    with caplog.at_level(logging.WARNING):
        cache.put("a", ARRAYS, {})
        cache.put("b", ARRAYS, {})
    assert cache.get("a") is None
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
    assert not cache.info().is_writable
    assert cache.clear() == 0


def test_info_and_clear(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10**6)
    assert cache.info().entries == 0
    assert cache.info().is_writable
    cache.put("a", ARRAYS, {})
    cache.put("b", ARRAYS, {})
    (cache.folder / "note.txt").write_text("the user's own")
    (cache.folder / "a123.partial").write_bytes(b"left by a killed process")
    assert cache.info().entries == 2
    assert cache.info().bytes_used > 0
    assert cache.clear() == 2
    assert [path.name for path in cache.folder.iterdir()] == ["note.txt"]


def _journal(cache: Cache, key: str, size: int, days: float, is_over: bool) -> Path:
    folder = cache.journal(key)
    assert cache.write(folder / "000000.safetensors", b"x" * size)
    if is_over:
        assert cache.write(cache.journal_end(key), b"{}")
    moment = time.time() - days * 24 * 3600
    for path in [*folder.iterdir(), folder]:
        os.utime(path, (moment, moment))
    return folder


def test_journals_count_and_are_cleared_with_their_claims(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache", 10**6)
    _journal(cache, "a", 5000, 0, is_over=False)
    with cache.claimed("a"):
        pass
    info = cache.info()
    assert (info.entries, info.bytes_used) == (1, 5000)
    assert cache.clear() == 1
    assert list(cache.folder.iterdir()) == []


def test_journals_that_nobody_goes_on_with_are_removed(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 10**6)
    folders = {days: _journal(cache, f"k{days}", 10, days, is_over=False) for days in (0, 6, 8)}
    with cache.claimed("old"):
        pass
    os.utime(tmp_path / "claims" / "old.lock", (0, 0))
    cache.put("a", ARRAYS, {})
    assert [days for days, folder in folders.items() if folder.exists()] == [0, 6]
    assert list((tmp_path / "claims").iterdir()) == []


def test_a_finished_journal_goes_in_its_turn_and_one_in_the_making_stays(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 2500)
    making = _journal(cache, "making", 9000, 3, is_over=False)
    finished = _journal(cache, "finished", 1000, 2, is_over=True)
    cache.put("one", {"x": np.zeros(900, dtype=np.uint8)}, {})
    assert finished.exists()
    cache.put("two", {"x": np.zeros(900, dtype=np.uint8)}, {})
    assert (making.exists(), finished.exists()) == (True, False)
    assert cache.get("one") is not None
    assert not cache.put("huge", {"x": np.zeros(9000, dtype=np.uint8)}, {})


def test_a_claim_is_held_by_one_and_freed_by_its_end(tmp_path: Path) -> None:
    first, second = Cache(tmp_path, 10**6).claim("a"), Cache(tmp_path, 10**6).claim("a")
    assert first.take()
    assert first.take()
    assert not second.take()
    assert Cache(tmp_path, 10**6).claim("b").take()
    first.close()
    assert second.take(1.0)
    second.close()
    second.close()


def test_where_nothing_can_be_claimed_everybody_may_compute(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    cache = Cache(tmp_path / "file", 10**6)
    with cache.claimed("a"), cache.claimed("a"):
        assert cache.claim("a").take()
    with Cache(tmp_path / "none", 0).claimed("a"):
        assert not (tmp_path / "none").exists()


def test_a_claim_is_waited_for_but_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_PATIENCE", 0.3)
    cache = Cache(tmp_path, 10**6)
    started = time.monotonic()
    with cache.claimed("a"), cache.claimed("a"):
        assert time.monotonic() - started >= 0.3


def _hammer(folder: str, seed: int) -> None:
    cache = Cache(Path(folder), 20_000)
    random = np.random.default_rng(seed)
    for _ in range(60):
        number = int(random.integers(0, 12))
        found = cache.get(f"k{number}")
        if found is not None and not (found["x"] == number).all():
            raise AssertionError("half an entry was seen")
        cache.put(f"k{number}", {"x": np.full(3000, number, dtype=np.uint8)}, {})


def test_processes_share_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_hammer, args=(str(tmp_path), seed)) for seed in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert Cache(tmp_path, 20_000).info().bytes_used <= 20_000
    assert not list(tmp_path.glob("*.partial"))


def test_key_depends_on_content_and_options() -> None:
    base = cache_key("abc", {"person": "left", "mask": True})
    assert base == cache_key("abc", {"mask": True, "person": "left"})
    assert base != cache_key("abd", {"person": "left", "mask": True})
    assert base != cache_key("abc", {"person": "right", "mask": True})


def test_content_hash_of_a_file_ignores_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    (tmp_path / "b").write_bytes(b"x" * 3_000_000)
    (tmp_path / "c").write_bytes(b"x" * 2_999_999 + b"y")
    assert content_hash(tmp_path / "a") == content_hash(tmp_path / "b")
    assert content_hash(tmp_path / "a") != content_hash(tmp_path / "c")


def test_content_hash_of_a_folder_sees_names_and_contents(tmp_path: Path) -> None:
    for folder, files in {
        "one": {"1.png": b"ab", "2.png": b"c"},
        "same": {"1.png": b"ab", "2.png": b"c"},
        "shifted": {"1.png": b"a", "2.png": b"bc"},
        "renamed": {"1.png": b"ab", "3.png": b"c"},
    }.items():
        (tmp_path / folder).mkdir()
        for name, content in files.items():
            (tmp_path / folder / name).write_bytes(content)
    hashes = {name: content_hash(tmp_path / name) for name in ("one", "same", "shifted", "renamed")}
    assert hashes["one"] == hashes["same"]
    assert len(set(hashes.values())) == 3


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files and folders that are really read."""
    read: list[Path] = []
    real = cache_module._hashed
    monkeypatch.setattr(cache_module, "_FRESH", 0)
    monkeypatch.setattr(cache_module, "_hashed", lambda path: (read.append(path), real(path))[1])
    return read


def test_a_file_is_hashed_once_until_it_changes(tmp_path: Path, hashed: list[Path]) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"one")
    first = content_hash(path)
    assert [content_hash(path) for _ in range(3)] == [first] * 3
    assert hashed == [path]
    for content in (b"two", b"longer"):
        status = path.stat()
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as `cp -p` or a clock set back would
        assert content_hash(path) != first
    assert hashed == [path] * 3


def test_a_folder_is_hashed_once_until_a_file_in_it_changes(tmp_path: Path, hashed: list[Path]) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"a")
    first = content_hash(folder)
    assert content_hash(folder) == first
    (folder / "2.png").write_bytes(b"b")
    assert content_hash(folder) != first
    (folder / "2.png").unlink()
    assert content_hash(folder) == first
    assert hashed.count(folder) == 2


def test_what_was_changed_just_now_is_read_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two changes within one tick of the file system's clock leave the same times."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"one")
    marks = cache_module._marks(path)
    monkeypatch.setattr(cache_module, "_marks", lambda path: marks)
    first = content_hash(path)
    path.write_bytes(b"two")
    assert content_hash(path) != first


def test_content_hash_of_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.mp4"):
        content_hash(tmp_path / "nowhere.mp4")


def test_default_folder_and_limit(tmp_path: Path) -> None:
    assert default_cache({"RETARGET_CACHE": str(tmp_path)}).folder == tmp_path
    assert default_cache({"XDG_CACHE_HOME": str(tmp_path)}).folder == tmp_path / "retarget"
    assert default_cache({}).folder.name == "retarget"
    assert default_cache({}).limit_bytes == 2 * 1024**3
    assert default_cache({"RETARGET_CACHE_LIMIT": "500M"}).limit_bytes == 500 * 1024**2
    assert default_cache({"RETARGET_CACHE_LIMIT": "1.5GiB"}).limit_bytes == 3 * 1024**3 // 2
    assert default_cache({"RETARGET_CACHE_LIMIT": "0"}).limit_bytes == 0


@pytest.mark.parametrize("text", ["much", "-1", "G", "nan", "inf"])
def test_impossible_limit(text: str) -> None:
    with pytest.raises(UsageError, match="RETARGET_CACHE_LIMIT"):
        default_cache({"RETARGET_CACHE_LIMIT": text})


@pytest.mark.parametrize(
    ("platform", "variables", "end"),
    [
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/retarget"),
        ("darwin", {}, "Library/Caches/retarget"),
        ("linux", {}, ".cache/retarget"),
    ],
)
def test_folder_of_each_platform(
    monkeypatch: pytest.MonkeyPatch, platform: str, variables: dict[str, str], end: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    assert default_cache(variables).folder.as_posix().endswith(end)
