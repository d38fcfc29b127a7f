"""Files over the network: good, damaged, missing, cut short."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.weights.making import row, store_of
from tests.weights.server import Served, serving

from retarget_cli.core.errors import WeightsError
from retarget_cli.weights import download as module
from retarget_cli.weights.store import Condition

CONTENT = bytes(range(256)) * 3000


@pytest.fixture
def served() -> Iterator[Served]:
    with serving() as found:
        found.files["good.pth"] = CONTENT
        yield found


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "weights").iterdir())


def test_a_good_file_is_pulled_once(served: Served, tmp_path: Path) -> None:
    store = store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth"))
    steps: list[tuple[int, int | None]] = []
    state = store.pull("net", lambda done, total: steps.append((done, total)))
    assert state.condition is Condition.GOOD
    assert state.path is not None
    assert state.path.read_bytes() == CONTENT
    assert left(tmp_path) == ["net.pth"]
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert store.pull("net").path == state.path
    assert served.asked == ["good.pth"]


def test_the_next_address_is_tried(served: Served, tmp_path: Path) -> None:
    served.files["other.pth"] = CONTENT[::-1]
    urls = [f"{served.url}/{name}.pth" for name in ("nowhere", "other", "good")]
    assert store_of(tmp_path, row("net", CONTENT, *urls)).pull("net").condition is Condition.GOOD
    assert served.asked == ["nowhere.pth", "other.pth", "good.pth"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("absent.pth", "404"), ("other.pth", "sha256"), ("short.pth", "instead of"), ("broken.pth", "cut short")],
)
def test_what_is_not_the_file_is_not_kept(served: Served, tmp_path: Path, name: str, message: str) -> None:
    served.files |= {"other.pth": CONTENT[::-1], "short.pth": CONTENT[:-1], "broken.pth": CONTENT}
    served.cut.add("broken.pth")
    store = store_of(tmp_path, row("net", CONTENT, f"{served.url}/{name}"))
    with pytest.raises(WeightsError, match=message) as caught:
        store.pull("net")
    assert str(store.target("net")) in caught.value.hint
    assert left(tmp_path) == []


def test_a_file_cut_short_is_seen_without_any_length(served: Served, tmp_path: Path) -> None:
    served.unsized.add("good.pth")
    served.cut.add("good.pth")
    store = store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth"))
    with pytest.raises(WeightsError, match="cut short"):
        store.pull("net")
    served.cut.clear()
    assert store.pull("net").condition is Condition.GOOD


def test_a_file_cut_short_is_seen_where_the_catalog_knows_nothing(served: Served, tmp_path: Path) -> None:
    served.cut.add("good.pth")
    with pytest.raises(WeightsError, match="cut short"):
        store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth", known=0, is_sized=False)).pull("net")
    assert left(tmp_path) == []


def test_a_damaged_file_is_replaced(served: Served, tmp_path: Path) -> None:
    store = store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth"))
    store.target("net").parent.mkdir()
    store.target("net").write_bytes(CONTENT[::-1])
    assert store.state("net").condition is Condition.DAMAGED
    assert store.pull("net").condition is Condition.GOOD


def test_first_digits_are_enough_where_no_more_are_known(served: Served, tmp_path: Path) -> None:
    store = store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth", known=8))
    state = store.pull("net")
    assert state.condition is Condition.GOOD
    assert len(state.sha256) == 64
    assert not state.row.is_hash_whole


def test_without_any_hash_the_file_is_taken_and_said_to_be_unknown(served: Served, tmp_path: Path) -> None:
    store = store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth", known=0))
    assert store.pull("net").condition is Condition.UNKNOWN
    assert len(store.good("net")[1]) == 64


def test_nobody_answers(tmp_path: Path) -> None:
    with serving() as gone:
        url = gone.url
    with pytest.raises(WeightsError, match="no connection"):
        store_of(tmp_path, row("net", CONTENT, f"{url}/good.pth")).pull("net")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://a.test/b"])
def test_only_web_addresses_are_opened(tmp_path: Path, url: str) -> None:
    with pytest.raises(WeightsError, match="not an http address"):
        store_of(tmp_path, row("net", CONTENT, url)).pull("net")


def test_a_row_without_address_says_where_the_file_goes(tmp_path: Path) -> None:
    store = store_of(tmp_path, row("net", CONTENT))
    with pytest.raises(WeightsError, match="no address") as caught:
        store.pull("net")
    assert str(store.target("net")) in caught.value.hint
    assert "by hand (https://a.test/)" in caught.value.hint


def test_a_full_disk_is_told_before(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(WeightsError, match="needs 1 MB"):
        store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth")).pull("net")
    assert served.asked == []


def test_a_disk_that_fills_up_leaves_nothing(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(WeightsError, match="is full"):
        store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth")).pull("net")
    assert left(tmp_path) == []


def test_a_folder_that_is_a_file(served: Served, tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("no folder")
    with pytest.raises(WeightsError, match="cannot write"):
        store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth")).pull("net")


def test_interrupted_pulls_leave_nothing(served: Served, tmp_path: Path) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth")).pull("net", stop)
    assert left(tmp_path) == []


def test_others_may_read_what_was_pulled(served: Served, tmp_path: Path) -> None:
    state = store_of(tmp_path, row("net", CONTENT, f"{served.url}/good.pth")).pull("net")
    assert state.path is not None
    assert os.stat(state.path).st_mode & 0o777 == 0o644
