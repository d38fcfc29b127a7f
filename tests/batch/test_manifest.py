"""What a batch remembers: through restarts, kills, full disks and other people's files."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.workflows.full_disk import disk_of

from retarget_cli.batch import schema
from retarget_cli.batch.item import Fault, Item, Outcome, State
from retarget_cli.batch.manifest import Added, Entry, Manifest
from retarget_cli.batch.status import MOST_SHOWN, Status, seconds_left, span, status, visible
from retarget_cli.core.errors import InputError, OutputError, RetargetError

GOOD = Outcome(seconds=2.0, frames=30, resumed=10, width=64, height=48, device="cpu", size=9, sha256="ab", notes=("n",))
BAD = Outcome(Fault.SAID, "nobody is seen (use another photo)", seconds=0.5)


def item(which: int, **more: object) -> Item:
    plain = Item(which, {"source": (f"/p/{which}.jpg",), "driving": "/d.mp4"}, f"{which}", "d", f"{which}_d.mp4")
    return replace(plain, **more)  # type: ignore[arg-type]


def items(count: int) -> list[Item]:
    return [item(number) for number in range(1, count + 1)]


@pytest.fixture
def manifest(tmp_path: Path) -> Iterator[Manifest]:
    with Manifest.open(tmp_path / "out", may_make=True) as made:
        yield made


def told(folder: Path, kind: type[RetargetError] = InputError, may_make: bool = True) -> str:
    """The one line about a manifest that can't be opened."""
    with pytest.raises(kind) as caught:
        Manifest.open(folder, may_make=may_make)
    assert "\n" not in caught.value.line
    return caught.value.line


def entry_of(manifest: Manifest, output: str) -> Entry:
    (found,) = (entry for entry in manifest.rows() if entry.item.output == output)
    return found


def test_an_item_from_waiting_to_done(manifest: Manifest) -> None:
    assert manifest.add(items(3)) == Added(3, 0, 0)
    assert list(manifest.waiting()) == [(each, 0) for each in items(3)]
    manifest.begin(2, "worker 1")
    entry = entry_of(manifest, "2_d.mp4")
    assert (entry.item, entry.state, entry.attempts) == (item(2), State.RUNNING, 1)
    assert (entry.outcome, entry.worker, entry.ended) == (None, "worker 1", None)
    assert entry.begun is not None
    manifest.finish(2, GOOD)
    entry = entry_of(manifest, "2_d.mp4")
    assert (entry.state, entry.outcome, entry.attempts) == (State.DONE, GOOD, 1)
    assert entry.ended is not None
    assert [each.number for each, _ in manifest.waiting()] == [1, 3]
    assert manifest.counts() == {State.WAITING: 2, State.RUNNING: 0, State.DONE: 1, State.FAILED: 0}


def test_failed_items_wait_where_that_is_asked_for(manifest: Manifest) -> None:
    manifest.add(items(3))
    for number, outcome in ((1, BAD), (2, GOOD)):
        manifest.begin(number, "w")
        manifest.finish(number, outcome)
    assert [(each.number, tries) for each, tries in manifest.waiting()] == [(3, 0)]
    manifest.wait_again([1])
    assert [(each.number, tries) for each, tries in manifest.waiting()] == [(1, 1), (3, 0)]
    manifest.begin(1, "w")
    assert entry_of(manifest, "1_d.mp4").outcome is None
    manifest.finish(1, GOOD)
    assert manifest.counts()[State.FAILED] == 0


def test_everything_is_there_again(tmp_path: Path) -> None:
    options = {"source": ("/p/bad\udcff.jpg", "-x"), "driving": "é\n'\""}
    odd = item(2, options=options, source="bad\udcff", place="p, line 2")
    with Manifest.open(tmp_path, may_make=True) as first:
        first.add([item(1), odd, item(3)])
        first.begin(1, "w")
        first.finish(1, GOOD)
        first.begin(2, "w")
    with Manifest.open(tmp_path, may_make=True) as second:
        assert second.counts()[State.RUNNING] == 1
        assert second.reset_running() == 1
        assert second.add([item(1), odd, item(3)]) == Added(0, 3, 0)
        found = list(second.rows())
        assert [entry.state for entry in found] == [State.DONE, State.WAITING, State.WAITING]
        assert found[0].outcome == GOOD
        assert found[1].item.options == odd.options
        assert found[1].item.key == odd.key
        assert found[1].item.place == "p, line 2"
        assert found[1].attempts == 1


def test_the_same_output_for_something_else_waits_again(manifest: Manifest) -> None:
    manifest.add(items(3))
    for number in (1, 2):
        manifest.begin(number, "w")
        manifest.finish(number, GOOD)
    changed = item(1, options={**item(1).options, "fps": "30"})
    moved = item(3, output="2_d.mp4", options=item(2).options, source="2")
    assert moved.key == item(2).key
    assert manifest.add([changed, item(2, number=2, output="new.mp4"), moved]) == Added(1, 1, 1)
    found = {entry.item.output: entry for entry in manifest.rows()}
    assert (found["1_d.mp4"].state, found["1_d.mp4"].outcome, found["1_d.mp4"].attempts) == (State.WAITING, None, 0)
    assert found["1_d.mp4"].item == changed
    assert (found["2_d.mp4"].state, found["2_d.mp4"].item.number) == (State.DONE, 3)
    assert found["new.mp4"].state is State.WAITING


def test_items_of_earlier_calls_stay_listed_and_do_not_run(manifest: Manifest) -> None:
    manifest.add(items(4))
    manifest.begin(1, "w")
    manifest.finish(1, GOOD)
    manifest.add([item(3, number=1), item(9, number=2)])
    assert [each.output for each, _ in manifest.waiting()] == ["3_d.mp4", "9_d.mp4"]
    assert manifest.counts() == {State.WAITING: 2, State.RUNNING: 0, State.DONE: 0, State.FAILED: 0}
    assert [(entry.item.output, entry.in_plan) for entry in manifest.rows()] == [
        ("3_d.mp4", True), ("9_d.mp4", True), ("1_d.mp4", False), ("2_d.mp4", False), ("4_d.mp4", False),
    ]  # fmt: skip
    assert manifest.others() == 3
    manifest.begin(1, "w")  # the number means the item of this call
    assert entry_of(manifest, "3_d.mp4").state is State.RUNNING
    assert entry_of(manifest, "1_d.mp4").state is State.DONE
    manifest.add(items(4))
    assert manifest.counts()[State.DONE] == 1


def test_outputs_that_are_gone_wait_again(manifest: Manifest) -> None:
    manifest.add(items(3))
    for number in (1, 2, 3):
        manifest.begin(number, "w")
        manifest.finish(number, GOOD)
    manifest.wait_again([1, 3])
    assert [(each.number, tries) for each, tries in manifest.waiting()] == [(1, 1), (3, 1)]


def test_unknown_numbers_are_a_fault_of_ours(manifest: Manifest) -> None:
    manifest.add(items(1))
    with pytest.raises(ValueError, match="no item 7"):
        manifest.begin(7, "w")
    with pytest.raises(ValueError, match="no item 7"):
        manifest.finish(7, GOOD)
    assert manifest.counts()[State.WAITING] == 1


def test_ten_thousand_items_are_read_page_by_page(manifest: Manifest) -> None:
    many = items(10_000)
    assert manifest.add(many) == Added(10_000, 0, 0)
    assert manifest.add(many) == Added(0, 10_000, 0)
    tracemalloc.start()
    try:
        assert sum(1 for _ in manifest.rows()) == 10_000
        assert [each.number for each, _ in manifest.waiting()] == list(range(1, 10_001))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_items_may_change_while_they_are_listed(manifest: Manifest) -> None:
    manifest.add(items(1200))
    seen = []
    for each, _ in manifest.waiting():
        seen.append(each.number)
        manifest.begin(each.number, "w")
        if each.number % 100 == 0:
            manifest.finish(each.number, BAD)
    assert seen == list(range(1, 1201))
    assert manifest.counts() == {State.WAITING: 0, State.RUNNING: 1188, State.DONE: 0, State.FAILED: 12}
    assert [entry.item.number for entry in manifest.rows(State.FAILED)] == list(range(100, 1201, 100))


def test_one_driver_at_a_time_and_readers_at_any(manifest: Manifest) -> None:
    manifest.add(items(2))
    line = told(manifest.folder, OutputError)
    assert f"{manifest.folder}: another `retarget batch` is at work there" in line
    with Manifest.open(manifest.folder, may_make=False) as reader:
        assert reader.counts()[State.WAITING] == 2
        pages = reader.rows()
        next(pages)
        manifest.begin(1, "w")  # a reader in the middle of its rows does not stand in the way
        manifest.finish(1, GOOD)
        assert reader.counts()[State.DONE] == 1
        assert status(manifest.folder).is_live is True
        with pytest.raises(OutputError, match="readonly"):
            reader.add(items(1))
    manifest.close()
    manifest.close()
    assert status(manifest.folder).is_live is False
    Manifest.open(manifest.folder, may_make=True).close()


def test_readers_make_nothing(tmp_path: Path) -> None:
    line = told(tmp_path / "none", may_make=False)
    assert "holds no batch: there is no batch.sqlite in it" in line
    assert not (tmp_path / "none").exists()


def changed(folder: Path, statement: str) -> None:
    """Somebody else's hand in the file."""
    base = sqlite3.connect(folder / schema.NAME)
    base.execute(statement)
    base.commit()
    base.close()


@pytest.mark.parametrize("may_make", [True, False])
def test_a_manifest_from_a_newer_version(tmp_path: Path, may_make: bool) -> None:
    with Manifest.open(tmp_path, may_make=True) as made:
        made.add(items(2))
    changed(tmp_path, "UPDATE meta SET value = '3' WHERE name = 'schema_version'")
    changed(tmp_path, "UPDATE meta SET value = '9.1' WHERE name = 'made_by'")
    before = (tmp_path / schema.NAME).read_bytes()
    line = told(tmp_path, may_make=may_make)
    assert "was made by a newer retarget (9.1): its format is 3, this one knows 1" in line
    assert "update retarget, or choose another --output" in line
    assert (tmp_path / schema.NAME).read_bytes() == before


def cut(folder: Path) -> None:
    path = folder / schema.NAME
    path.write_bytes(path.read_bytes()[:9000])


def overwritten(folder: Path) -> None:
    path = folder / schema.NAME
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xa5" * 8192 + content[12288:])


@pytest.mark.parametrize("may_make", [True, False])
@pytest.mark.parametrize(
    "harm",
    [
        cut,
        overwritten,
        lambda folder: (folder / schema.NAME).write_bytes(b"a text that is no database, of some length\n" * 9),
        lambda folder: changed(folder, "DROP TABLE meta"),
        lambda folder: changed(folder, "DELETE FROM meta"),
        lambda folder: changed(folder, "UPDATE meta SET value = 'x'"),
        lambda folder: changed(folder, "DROP TABLE items"),
        lambda folder: changed(folder, "UPDATE items SET state = 'dancing'"),
        lambda folder: changed(folder, "UPDATE items SET options = '[1'"),
        lambda folder: changed(folder, "UPDATE items SET outcome = 'x'"),
        lambda folder: changed(folder, "UPDATE items SET source = CAST(x'ff' AS TEXT)"),
    ],
)
def test_damaged_files_say_so(harm: object, may_make: bool, tmp_path: Path) -> None:
    with Manifest.open(tmp_path, may_make=True) as made:
        made.add(items(200))
    assert callable(harm)
    harm(tmp_path)

    def read() -> None:
        with Manifest.open(tmp_path, may_make=may_make) as found:
            list(found.rows())
            list(found.waiting())

    with pytest.raises(InputError, match=r"batch.sqlite (is damaged|is no manifest)") as caught:
        read()
    assert "move batch.sqlite away" in caught.value.hint
    assert (tmp_path / schema.NAME).exists()


def test_an_empty_file_is_a_new_manifest(tmp_path: Path) -> None:
    """What a driver leaves that was killed before its first word."""
    (tmp_path / schema.NAME).touch()
    assert "no manifest" in told(tmp_path, may_make=False)
    with Manifest.open(tmp_path, may_make=True) as made:
        assert made.add(items(1)) == Added(1, 0, 0)


def test_a_full_disk_loses_nothing(manifest: Manifest) -> None:
    manifest.add(items(50))
    manifest.begin(1, "w")
    pages = manifest._base.execute("PRAGMA page_count").fetchone()[0]
    manifest._base.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OutputError, match="full") as caught:
        manifest.add(items(5000))
    assert "nothing that is finished is lost" in caught.value.hint
    assert manifest.counts() == {State.WAITING: 49, State.RUNNING: 1, State.DONE: 0, State.FAILED: 0}
    manifest._base.execute("PRAGMA max_page_count = 1000000")
    manifest.finish(1, GOOD)
    assert manifest.add(items(5000)) == Added(4950, 50, 0)


def test_a_disk_that_takes_no_more_loses_nothing(manifest: Manifest) -> None:
    manifest.add(items(50))
    size = (manifest.folder / schema.NAME).stat().st_size
    with disk_of(size), pytest.raises(OutputError, match=r"can't work with .*batch.sqlite"):
        manifest.add(items(5000))
    manifest.finish(1, GOOD)
    folder = manifest.folder
    manifest.close()
    with Manifest.open(folder, may_make=True) as again:
        assert sum(again.counts().values()) == 50
        assert again.counts()[State.DONE] == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_folder_that_is_read_only(tmp_path: Path) -> None:
    with Manifest.open(tmp_path, may_make=True) as made:
        made.add(items(2))
    os.chmod(tmp_path, 0o500)
    os.chmod(tmp_path / schema.NAME, 0o400)
    os.chmod(tmp_path / schema.LOCK, 0o400)
    try:
        assert "can't lock" in told(tmp_path, OutputError)
        assert status(tmp_path).counts[State.WAITING] == 2
    finally:
        os.chmod(tmp_path, 0o700)


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "is a file, expected a folder" in told(tmp_path / "file", OutputError)
    assert "can't lock" in told(tmp_path / "file" / "out", OutputError)


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(schema.FileLock, "acquire", refuse)
    line = told(tmp_path, OutputError)
    assert "Operation not supported" in line
    assert "knows locks" in line


DRIVER = """
import sys
from pathlib import Path
from retarget_cli.batch.item import Item, Outcome
from retarget_cli.batch.manifest import Manifest
manifest = Manifest.open(Path(sys.argv[1]), may_make=True)
manifest.add([Item(n, {"driving": "d"}, str(n), "d", f"{n}.mp4") for n in range(1, 2001)])
for number in range(1, 2001):
    manifest.begin(number, "w")
    manifest.finish(number, Outcome(seconds=1.0))
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 7, 20])
def test_a_killed_driver_has_told_all_that_it_did(after: int, tmp_path: Path) -> None:
    driver = subprocess.Popen([sys.executable, "-c", DRIVER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    done = 0
    for line in driver.stdout:
        done = int(line)
        if done >= after:
            break
    driver.send_signal(signal.SIGKILL)
    done = max([done, *map(int, driver.stdout.read().split())])
    driver.wait()
    driver.stdout.close()
    assert status(tmp_path).is_live is False
    with Manifest.open(tmp_path, may_make=True) as found:
        running = found.reset_running()
        counts = found.counts()
    assert counts[State.DONE] in {done, done + 1}
    assert running <= 1
    assert sum(counts.values()) == 2000


def test_status(manifest: Manifest) -> None:
    manifest.add([*items(4), item(5, output="a\x1b[2J\nb.mp4")])
    for number, outcome in ((1, GOOD), (2, BAD), (3, None), (5, BAD)):
        manifest.begin(number, "worker 1")
        if outcome is not None:
            manifest.finish(number, outcome)
    manifest.add([*items(3), item(5, output="a\x1b[2J\nb.mp4")])
    found = status(manifest.folder)
    assert found.seconds_left == pytest.approx(2.0 * 0.5)
    text = found.text()
    assert text.splitlines()[:6] == [
        f"{manifest.folder}: 4 videos, at work",
        "  waiting  0",
        "  running  1",
        "  done     1",
        "  failed   2",
        "  and 1 of earlier calls, which the last one did not ask for",
    ]
    assert "about 1 s left" in text
    assert "  3_d.mp4  since " in text
    assert "  2_d.mp4  nobody is seen (use another photo)" in text
    assert "\x1b" not in text
    assert "  a\\x1b[2J\\nb.mp4  nobody" in text
    data = found.data()
    assert data["counts"] == {"waiting": 0, "running": 1, "done": 1, "failed": 2}
    assert [row["reason"] for row in data["failed"]] == [BAD.reason] * 2  # type: ignore[index,attr-defined]
    assert data["seconds_left"] == 1.0
    manifest.close()
    assert ", nobody is at work; the same command goes on" in status(manifest.folder).text()
    assert "begun, and not finished" in status(manifest.folder).text()


def test_status_of_many_failures_is_short(manifest: Manifest) -> None:
    manifest.add(items(MOST_SHOWN + 5))
    for number in range(1, MOST_SHOWN + 6):
        manifest.begin(number, "w")
        manifest.finish(number, BAD)
    found = status(manifest.folder)
    assert len(found.failed) == MOST_SHOWN + 5
    assert found.text().splitlines()[-1] == "  ... and 5 more; `retarget batch report` shows all"
    assert isinstance(found, Status)


def test_time_left() -> None:
    counts = {State.WAITING: 10, State.RUNNING: 2, State.DONE: 5, State.FAILED: 1}
    assert seconds_left(counts, None, 2) is None
    assert seconds_left(counts, 3.0, 2) == pytest.approx(16.5)
    assert seconds_left(counts, 3.0, 0) == pytest.approx(33.0)
    assert [span(each) for each in (0.2, 59, 61, 7500)] == ["1 s", "59 s", "1 min 01 s", "2 h 05 min"]


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("Grüße\t\u202e x", "Grüße\\t\\u202e x"),
        ("a\nb\0\x1b[2J", "a\\nb\\x00\\x1b[2J"),
        ("\udce9", "\\udce9"),
        ("é👩\u200d🚀", "é👩\u200d🚀"),
        ("שלום", "שלום"),
    ],
)
def test_what_is_not_seen_is_written_out(raw: str, seen: str) -> None:
    assert visible(raw) == seen
    visible(raw).encode("utf-8")
