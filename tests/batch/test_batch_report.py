"""The page about a batch: what it says, that nothing breaks it, and how it works in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.evaluation.conftest import browser, requests_of
from tests.media_maker import Clip, make_video, picture

from retarget_cli.batch.item import Fault, Item, Outcome, State
from retarget_cli.batch.manifest import Entry, Manifest
from retarget_cli.batch.report import MOST_PICTURES, report_text, write_report
from retarget_cli.batch.report_page import lasted
from retarget_cli.batch.thumbnails import thumbnails
from retarget_cli.core.errors import InputError, OutputError
from retarget_cli.core.progress import Silence
from retarget_cli.media.images import write_png

__all__ = ["browser"]  # a fixture that these tests share with those of the evaluation's report

WICKED = "</script><script>alert(1)</script> \"q\" & 'a' \u202egpj.exe 衣 🕺"


class FakeLedger:
    """So many items in turn: done, failed, running, waiting; the manifest's two methods."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries

    def rows(self, state: State | None = None) -> Iterator[Entry]:
        return (entry for entry in self._entries if state in (None, entry.state))

    def counts(self) -> dict[State, int]:
        return {state: sum(entry.state is state for entry in self._entries) for state in State}


def entry(number: int, state: State, output: str = "", **told: Any) -> Entry:
    item = Item(
        number, {"backend": "still"}, f"p{number}", "dance", output or f"{number}.mp4", f"pairs.csv, line {number}"
    )
    ended = {State.DONE: Outcome(**told), State.FAILED: Outcome(**{"fault": Fault.SAID, **told})}.get(state)
    begun = f"2026-01-01T00:{number // 60 % 60:02d}:{number % 60:02d}+00:00"
    return Entry(item, state, 1, ended, begun, begun, "w1", True)


def text_of(folder: Path, entries: list[Entry], most: int = MOST_PICTURES) -> str:
    return report_text(folder, FakeLedger(entries), Silence(), most)


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a real manifest: a film, a folder of PNGs, a wicked failure, one that waits."""
    folder = tmp_path_factory.mktemp("batch")
    make_video(folder / "a.mp4", Clip(count=12))
    (folder / "frames").mkdir()
    for index in range(3):
        write_png(folder / "frames" / f"{index:06d}.png", picture())
    items = [
        Item(1, {"backend": "still"}, "ann", "waltz", "a.mp4", "pairs.csv, line 2"),
        Item(2, {"backend": "avatar"}, "bob", "tango", "frames", "pairs.csv, line 3"),
        Item(3, {}, WICKED, "tango", "c.mp4", "pairs.csv, line 4"),
        Item(4, {}, "dan", "polka", "d.mp4", ""),
    ]
    with Manifest.open(folder, may_make=True) as manifest:
        manifest.add(items)
        for number, outcome in (
            (1, Outcome(seconds=2.0, frames=12, width=64, height=48, device="cpu", peak_mib=812.4)),
            (2, Outcome(seconds=4.0, frames=3, resumed=1, notes=("sound left out",))),
            (3, Outcome(Fault.SAID, f"{WICKED} shows no person", seconds=0.5)),
        ):
            manifest.begin(number, "w1")
            manifest.finish(number, outcome)
    return folder


def test_it_tells_what_the_manifest_knows(batch: Path, tmp_path: Path) -> None:
    path = write_report(batch, tmp_path / "deep" / "page.html")
    text = path.read_text("utf-8")
    data = data_of(text)
    rows = [dict(zip(data["columns"], row, strict=True)) for row in data["rows"]]
    assert [row["state"] for row in rows] == ["done", "done", "failed", "waiting"]
    assert rows[0] | {"source": "ann", "fps": 6.0, "peak": 812, "device": "cpu", "attempts": 1} == rows[0]
    assert rows[1]["fps"] == 0.5  # two frames in four seconds: one was there before
    assert rows[1]["reason"] == "sound left out"
    assert rows[3]["seconds"] is None
    assert sorted(data["pictures"]) == ["1", "2"]
    assert all(each.startswith("data:image/jpeg;base64,") for found in data["pictures"].values() for each in found)
    assert [len(found) for found in data["pictures"].values()] == [2, 2]
    assert write_report(batch, None) == batch / "report.html"


def test_nothing_from_files_becomes_markup(batch: Path, tmp_path: Path) -> None:
    text = write_report(batch, tmp_path / "page.html").read_text("utf-8")
    assert "<script>alert" not in text
    assert text.count("</script>") == 2  # the data's and the program's
    assert "\u202e" not in text
    assert "Failed (1)" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "衣 🕺" in text


def test_names_that_are_no_text_still_give_a_page(tmp_path: Path) -> None:
    text = text_of(tmp_path, [entry(1, State.FAILED, "x\udcff.mp4", reason="bad \udcff")])
    assert "bad \\udcff" in text
    text.encode("utf-8")


def test_nothing_outside_the_folder_is_shown(tmp_path: Path) -> None:
    write_png(tmp_path / "secret.png", picture())
    folder = tmp_path / "out"
    folder.mkdir()
    outputs = ["../secret.png", str(tmp_path / "secret.png")]
    text = text_of(folder, [entry(n, State.DONE, each, frames=1) for n, each in enumerate(outputs, 1)])
    assert data_of(text)["pictures"] == {}
    assert "2 finished outputs can't be read any more" in text


def test_ten_thousand_items_stay_small(tmp_path: Path) -> None:
    kinds = [State.DONE, State.FAILED, State.RUNNING, State.WAITING]
    entries = [
        entry(n, kinds[n % 4], seconds=n % 7 + 0.5, reason="no person" if n % 4 == 1 else "") for n in range(1, 10_001)
    ]
    text = text_of(tmp_path, entries, most=5)
    data = data_of(text)
    assert len(data["rows"]) == 10_000
    assert text.count("<rect") <= 120
    assert "2300 more: choose" in text
    assert "2495 finished items have no pictures here" in text
    assert len(text) < 3_000_000


def test_pictures_are_spread_over_all_that_is_done(tmp_path: Path) -> None:
    entries = [entry(n, State.DONE, f"{n}.png", frames=1) for n in range(1, 12)]
    for n in range(1, 12):
        write_png(tmp_path / f"{n}.png", picture())
    assert list(data_of(text_of(tmp_path, entries, most=4))["pictures"]) == ["1", "4", "7", "10"]
    assert data_of(text_of(tmp_path, entries, most=0))["pictures"] == {}


def test_items_a_minute_follow_the_clock_and_outlive_its_jumps(tmp_path: Path) -> None:
    entries = [entry(n, State.DONE, frames=5, seconds=1.0) for n in range(1, 62)]
    assert "<dd>61.0</dd>" in text_of(tmp_path, entries, most=0)
    jumped = Entry(
        entries[0].item, State.DONE, 1, entries[0].outcome, "2026-01-01T00:00:09+00:00", "1970-01-01T00:00:00", "", True
    )
    assert "items a minute" not in text_of(tmp_path, [jumped], most=0)


@pytest.mark.parametrize(("seconds", "said"), [(3.21, "3.2 s"), (245.2, "4 min 05 s"), (7620.0, "2 h 07 min")])
def test_times_are_for_people(seconds: float, said: str) -> None:
    assert lasted(seconds) == said


def test_thumbnails_of_every_kind_of_output(tmp_path: Path) -> None:
    make_video(tmp_path / "clip.webm", Clip(codec="libvpx-vp9", options={}))
    write_png(tmp_path / "still.png", np.concatenate([picture()] * 9, axis=1))
    for index in range(4):
        write_png(tmp_path / f"n_{index:04d}.png", picture(shade=index))
    (tmp_path / "damaged.mp4").write_bytes(b"\0" * 99)
    names = ("clip.webm", "still.png", "n_%04d.png", "damaged.mp4", "absent.mp4")
    assert [len(thumbnails(tmp_path / name)) for name in names] == [2, 1, 2, 0, 0]


def test_what_is_no_batch_is_told(tmp_path: Path, batch: Path) -> None:
    with pytest.raises(InputError):
        write_report(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_report(batch, tmp_path / "file" / "page.html")


def find(page: Any, selector: str) -> list[Any]:
    return list(page.find_elements("css selector", selector))


@pytest.fixture(scope="module")
def page(batch: Path, browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = write_report(batch, tmp_path_factory.mktemp("batch page") / "page.html")
    browser.get(path.as_uri())
    return browser


def test_the_page_asks_nobody_and_shows_its_pictures(page: Any) -> None:
    assert requests_of(page) == []
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []
    widths = page.execute_script("return [...document.images].map(i => [i.complete, i.naturalWidth])")
    assert len(widths) == 4
    assert all(done and width > 0 for done, width in widths)
    assert "alert(1)</script>" in page.find_element("id", "items").text  # the wicked name, as a name
    titles = [heading.text for heading in find(page, "h2")]
    assert titles == ["Failed (1)", "Seconds an item", "Items"]


def test_the_page_sorts_and_filters(page: Any) -> None:
    def sources() -> list[str]:
        return [row.text.split()[0] for row in find(page, "#items tbody tr")]

    head = next(each for each in find(page, "#items thead th") if each.text == "Seconds")
    head.find_element("css selector", "button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert sources() == ["2", "1", "3", "4"]  # what has no time stays at the end
    head.find_element("css selector", "button").click()
    assert sources() == ["3", "1", "2", "4"]
    words = page.find_element("id", "words")
    words.send_keys("tango AVATAR")
    assert sources() == ["3", "2"]
    assert page.find_element("id", "where").text == "1–2 of 2 (4 in all)"
    words.clear()
    choose = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))"
    page.execute_script("arguments[0].dispatchEvent(new Event('input'))", words)
    page.execute_script(choose, page.find_element("id", "state"), "failed")
    assert sources() == ["3"]
    page.execute_script(choose, page.find_element("id", "state"), "")


def test_ten_thousand_items_are_turned_over(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "many.html"
    path.write_text(text_of(tmp_path, [entry(n, State.WAITING) for n in range(1, 10_001)]), "utf-8")
    browser.get(path.as_uri())
    assert len(find(browser, "#items tbody tr")) == 100
    before, after = find(browser, ".turning button")
    assert not before.is_enabled()
    after.click()
    assert browser.find_element("id", "where").text == "101–200 of 10000"
    assert browser.find_element("css selector", "#items tbody tr").text.startswith("101 waiting p101")
