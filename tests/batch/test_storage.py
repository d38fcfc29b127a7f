"""Shared storage: local copies, deliveries, refusals; the remote cache."""

from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retarget_cli.batch import storage, urls
from retarget_cli.batch.remote_cache import open_remote_cache
from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.perception.cache import Cache

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A storage that is not a folder; its URLs are let through in these tests only."""
    monkeypatch.setitem(urls.PROTOCOLS, "memory", "")
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def bucket_without_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the storage in memory be dealt with as an object storage."""
    monkeypatch.setattr(urls, "_MOVING", {"file"})


@pytest.mark.parametrize("text", ["s3://b/k", "file:///tmp/a", "gs://b/x y", "ssh://h/f", "zip::s3://b/a", "S3://b"])
def test_urls_are_recognised(text: str) -> None:
    assert storage.is_url(text)


@pytest.mark.parametrize("text", ["", "a.mp4", "C:\\a.mp4", "C:/a", "/a/b", "a::b.mp4", "-x://y", "://", "a b://c", "ä://x"])
def test_paths_are_no_urls(text: str) -> None:
    assert not storage.is_url(text)


@pytest.mark.parametrize(
    "url",
    [
        "ssh://host/a",
        "sftp://host/a",
        "git://r/a",
        "github://o:r@/a",
        "local://a",
        "reference://a",
        "zip::s3://b/a.zip",
        "zip://a.png::file:///a.zip",
        "filecache::s3://b/a",
        "simplecache::file:///a",
        "memory://a",
        "file:///a/../b",
        "s3://b/..",
        "s3://",
        "file:///",
        "s3://b/a\nb",
        "s3://b/\0",
        "data:text/plain;base64,YQ==://",
    ],
)
def test_what_is_no_plain_storage_is_refused(url: str, tmp_path: Path) -> None:
    for ask in (storage.exists, storage.list_files, lambda each: storage.fetched(each, tmp_path)):
        with pytest.raises(InputError) as caught:
            ask(url)
        assert "\n" not in caught.value.line
    with pytest.raises(OutputError):
        storage.deliver(tmp_path, url)
    assert not list(tmp_path.iterdir())


def test_http_is_only_read(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="only read"):
        storage.deliver(tmp_path, "https://example.org/a.mp4")


@pytest.mark.parametrize(("url", "extra"), [("s3://bucket/a.mp4", "[s3]"), ("gs://bucket/a.mp4", "[gs]")])
def test_a_missing_package_is_named(
    url: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("s3fs", "gcsfs"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError) as caught:
        storage.fetched(url, tmp_path)
    assert caught.value.hint == f"pip install retarget-cli{extra}"


def test_a_key_in_a_url_is_not_shown() -> None:
    with pytest.raises(InputError) as caught:
        storage.exists("ssh://me:secret@host/a?token=hidden")
    assert "secret" not in caught.value.line
    assert "hidden" not in caught.value.line


@pytest.mark.parametrize(
    ("base", "relative", "whole"),
    [
        ("s3://b/out/", "a/b.mp4", "s3://b/out/a/b.mp4"),
        ("memory://x", "-a b.mp4", "memory://x/-a b.mp4"),
        ("out", "a.mp4", os.path.join("out", "a.mp4")),
    ],
)
def test_urls_and_folders_are_joined_alike(base: str, relative: str, whole: str) -> None:
    assert storage.join_url(base, relative) == whole


@pytest.mark.parametrize("relative", ["../a", "a/../../b", "/a", ".."])
def test_nothing_leads_out_of_a_url(relative: str) -> None:
    with pytest.raises(OutputError, match="leads out"):
        storage.join_url("s3://b/out", relative)


@given(st.text(min_size=1))
def test_names_of_copies_stay_in_their_folder(name: str) -> None:
    plain = urls.plain_name(f"s3://bucket/{name}")
    assert plain not in ("", "/")
    assert not set(plain) & set("/\\\0:")
    assert len(plain.encode("utf-8", "surrogateescape")) <= 200


def test_a_folder_is_listed_one_level_deep(memory: object) -> None:
    system = fsspec.filesystem("memory")
    for name in ("b.mp4", "a 2.mp4", "person/1.jpg", "person/deep/2.jpg", "ü.png"):
        system.pipe_file(f"/clips/{name}", b"x")
    assert storage.list_files("memory://clips/") == [
        f"memory://clips/{name}" for name in ("a 2.mp4", "b.mp4", "person/", "ü.png")
    ]


def test_files_of_the_disk_are_listed(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "x.mp4").write_bytes(b"1")
    url = f"file://{tmp_path}/in"
    assert storage.list_files(url) == [f"{url}/sub/", f"{url}/x.mp4"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    with pytest.raises(InputError, match="is no folder"):
        storage.list_files(f"file://{tmp_path}/a")
    with pytest.raises(InputError, match="no such file"):
        storage.list_files(f"file://{tmp_path}/b")


def test_a_copy_is_made_once_and_anew_after_a_change(tmp_path: Path) -> None:
    original = tmp_path / "-dance ü.mp4"
    original.write_bytes(b"one")
    url = f"file://{original}"
    first = storage.fetched(url, tmp_path / "copies")
    made = first.stat().st_ino
    assert first.name == original.name
    assert first.read_bytes() == b"one"
    assert storage.fetched(url, tmp_path / "copies") == first
    assert first.stat().st_ino == made
    original.write_bytes(b"another")
    second = storage.fetched(url, tmp_path / "copies")
    assert second != first
    assert second.read_bytes() == b"another"
    assert first.exists()  # somebody may still be reading it
    old = 1_000_000_000
    os.utime(first.parent, (old, old))
    storage.fetched(url, tmp_path / "copies")
    assert not first.exists()


def test_a_folder_is_fetched_as_a_folder(memory: object, tmp_path: Path) -> None:
    system = fsspec.filesystem("memory")
    system.pipe_file("/people/anna/1.jpg", b"1")
    system.pipe_file("/people/anna/2.jpg", b"22")
    system.pipe_file("/people/anna/more/3.jpg", b"333")
    copy = storage.fetched("memory://people/anna/", tmp_path)
    assert copy.name == "anna"
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {"1.jpg": b"1", "2.jpg": b"22"}


def test_what_is_not_there_is_said(memory: object, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        storage.fetched("memory://nowhere/a.mp4", tmp_path)
    assert not storage.exists("memory://nowhere/a.mp4")


def test_too_large_is_too_large(memory: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec.filesystem("memory").pipe_file("/a.mp4", b"12345")
    monkeypatch.setattr(storage, "MOST_BYTES", 4)
    with pytest.raises(InputError, match="at most"):
        storage.fetched("memory://a.mp4", tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_full_disk_is_said_before_it_is_full(
    memory: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec.filesystem("memory").pipe_file("/a.mp4", b"12345")
    monkeypatch.setattr(storage, "_ROOM_BYTES", 2**60)
    with pytest.raises(OutputError, match="no room"):
        storage.fetched("memory://a.mp4", tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"]


def test_a_copy_that_breaks_off_leaves_nothing(
    memory: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = fsspec.filesystem("memory")
    system.pipe_file("/a.mp4", b"12345")
    told = {**system.info("/a.mp4"), "size": 9}
    monkeypatch.setattr(type(system), "info", lambda *_, **__: told)
    with pytest.raises(InputError, match="ended after 5 of 9 bytes"):
        storage.fetched("memory://a.mp4", tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"]


def fetch_into(url: str, folder: str) -> bytes:
    """In a process of its own."""
    return storage.fetched(url, Path(folder)).read_bytes()


def test_processes_that_fetch_at_once_see_the_whole(tmp_path: Path) -> None:
    content = os.urandom(20_000_000)
    (tmp_path / "a.bin").write_bytes(content)
    asked = (f"file://{tmp_path}/a.bin", str(tmp_path / "copies"))
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.starmap(fetch_into, [asked] * 4, chunksize=1)
    assert all(result == content for result in results)
    assert len(list((tmp_path / "copies").rglob("a.bin"))) == 1


@pytest.fixture(params=[False, True], ids=["disk", "bucket"])
def _either_kind(request: pytest.FixtureRequest, memory: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage with real folders and moves, and without."""
    if request.param:
        bucket_without_moves(monkeypatch)


@pytest.mark.usefixtures("_either_kind")
def test_a_file_is_delivered_whole(tmp_path: Path) -> None:
    film = tmp_path / "a.mp4"
    for content in (b"first", b"second"):
        film.write_bytes(content)
        storage.deliver(film, "memory://out/deep/a b.mp4")
        assert fsspec.filesystem("memory").find("/out") == ["/out/deep/a b.mp4"]
        assert fsspec.filesystem("memory").cat_file("/out/deep/a b.mp4") == content
    assert storage.exists("memory://out/deep/a b.mp4")


@pytest.mark.usefixtures("_either_kind")
def test_a_folder_replaces_a_folder(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for name in ("0.png", "1.png", "2.png"):
        (frames / name).write_bytes(name.encode())
    storage.deliver(frames, "memory://out/frames")
    (frames / "2.png").unlink()
    storage.deliver(frames, "memory://out/frames")
    assert fsspec.filesystem("memory").find("/out") == ["/out/frames/0.png", "/out/frames/1.png"]


def test_frames_are_delivered_to_a_folder_of_the_disk(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    (frames / "sub").mkdir(parents=True)
    (frames / "0.png").write_bytes(b"0")
    (frames / "sub" / "1.png").write_bytes(b"1")
    for _ in range(2):
        storage.deliver(frames, f"file://{tmp_path}/to/frames")
    there = tmp_path / "to"
    assert sorted(path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()) == [
        "frames/0.png",
        "frames/sub/1.png",
    ]


def test_a_delivery_that_fails_leaves_what_was_there(
    memory: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "a.mp4"
    film.write_bytes(b"first")
    storage.deliver(film, "memory://out/a.mp4")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "put_file", fail)
    film.write_bytes(b"second")
    with pytest.raises(OutputError, match="No space left"):
        storage.deliver(film, "memory://out/a.mp4")
    assert fsspec.filesystem("memory").cat_file("/out/a.mp4") == b"first"
    assert fsspec.filesystem("memory").find("/out") == ["/out/a.mp4"]


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may write everywhere")
def test_a_forbidden_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    (tmp_path / "shut").mkdir(mode=0o500)
    with pytest.raises(OutputError, match="not permitted"):
        storage.deliver(tmp_path / "a.mp4", f"file://{tmp_path}/shut/a.mp4")


def test_an_error_of_the_storages_own_is_one_line(
    memory: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoCredentialsError(Exception):
        """As cloud packages have them."""

    def fail(*_: object, **__: object) -> None:
        raise NoCredentialsError("unable to locate\ncredentials")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "info", fail)
    with pytest.raises(InputError) as caught:
        storage.exists("memory://a")
    assert "unable to locate credentials" in caught.value.line
    assert "\n" not in caught.value.line


def cache_in(folder: Path) -> Cache:
    return Cache(folder, 10**6)


def test_machines_share_what_was_perceived(memory: object, tmp_path: Path) -> None:
    one = open_remote_cache("memory://cache", cache_in(tmp_path / "one"))
    other = open_remote_cache("memory://cache", cache_in(tmp_path / "other"))
    assert other.get("ab12") is None
    assert one.put("ab12", {"pose": np.arange(6.0).reshape(2, 3)[:, ::2]}, {"what": "pose"})
    found = other.get("ab12")
    assert found is not None
    assert found["pose"].tolist() == [[0.0, 2.0], [3.0, 5.0]]
    fsspec.filesystem("memory").store.clear()
    assert other.get("ab12") is not None  # it has its own now


def test_a_remote_cache_that_fails_is_told_once(
    memory: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = open_remote_cache("memory://cache", cache_in(tmp_path / "one"))

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("the network is gone")

    for name in ("put_file", "open"):
        monkeypatch.setattr(type(fsspec.filesystem("memory")), name, fail)
    with caplog.at_level(logging.WARNING):
        assert cache.get("cd34") is None
        assert cache.put("cd34", {"a": np.zeros(2)}, {})
        assert cache.put("ef56", {"a": np.zeros(2)}, {})
    assert [record.message for record in caplog.records if "network is gone" in record.message] != []
    assert len(caplog.records) == 1
    assert cache.get("cd34") is not None


def test_a_damaged_remote_entry_counts_as_absent(memory: object, tmp_path: Path) -> None:
    cache = open_remote_cache("memory://cache", cache_in(tmp_path / "one"))
    fsspec.filesystem("memory").pipe_file("/cache/ab12.safetensors", b"no tensors")
    assert cache.get("ab12") is None
    assert cache.put("ab12", {"a": np.ones(1)}, {})


def test_a_cache_is_not_kept_where_it_can_t_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="only read"):
        open_remote_cache("https://example.org/cache", cache_in(tmp_path))


def test_storage_imports_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "av", "cv2", "mediapipe", "numba", "fsspec")
    program = (
        "import sys\nfrom retarget_cli.batch import storage\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
