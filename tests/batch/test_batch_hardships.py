"""`retarget batch` among bad files, full disks and damaged manifests: what is told, and what is kept."""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.batch.disturbed import PROGRAM, WORDS, batch, closed, ended, wait_for
from tests.batch.test_batch_faults import outputs

from retarget_cli.batch.item import State
from retarget_cli.batch.manifest import Manifest

# The same in another manner: files no longer than 5000 bytes, as on a full disk; and a clock that jumps by years.
TIGHT = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
from retarget_cli.cli.app import main
main()
"""
JUMPING = """
import itertools, time
now, jumps = time.time, itertools.cycle([0, -3e8, 5e8, -1])
time.time = lambda: now() + next(jumps)
from retarget_cli.cli.app import main
main()
"""


def copied(folder: Path, to: Path) -> Path:
    for name in ("people", "dances"):
        shutil.copytree(folder / name, to / name)
    return to


# --- files -----------------------------------------------------------------------------------------------------------


def nasty_files(folder: Path, good: Path, clip: Path) -> list[tuple[str, str]]:
    """Ten kinds of bad files: (source, clip)."""
    folder.mkdir()
    (folder / "empty.png").touch()
    (folder / "empty.mp4").touch()
    (folder / "text.png").write_text("this is no picture\n" * 40)
    (folder / "text.mp4").write_text("this is no film\n" * 400)
    (folder / "cut.png").write_bytes(good.read_bytes()[:1500])
    (folder / "cut.mp4").write_bytes(clip.read_bytes()[:400])
    (folder / "noise.jpg").write_bytes(bytes(range(256)) * 20)
    (folder / "folder.mp4").mkdir()
    sources = ("empty.png", "text.png", "cut.png", "noise.jpg", "nowhere.png")
    clips = ("empty.mp4", "text.mp4", "cut.mp4", "folder.mp4", "nowhere.mp4")
    bad = [(str(folder / name), str(clip)) for name in sources]
    return bad + [(str(good), str(folder / name)) for name in clips]


def real_nasty_files(shared: Path, good: Path, clip: Path) -> list[tuple[str, str]]:
    folder = shared / "nasty"
    clips = (
        "n06_noperson_bottles.mp4", "n22_10bit_hevc_testsrc.mp4", "n24_av1_mkv_testsrc.mkv", "derived/x12_empty.mp4",
        "derived/x13_text_renamed.mp4", "derived/x15_audio_only.m4a.mp4",
    )  # fmt: skip
    sources = ("derived/x14_text_renamed.png", "derived/y12_strip_720x7.png", "derived/y16_truncated.jpg", "none.png")
    bad = [(str(good), str(folder / name)) for name in clips] + [(str(folder / name), str(clip)) for name in sources]
    if not all((folder / name).exists() for name in (*clips, *sources[:-1])):
        pytest.skip(f"{folder} has other files")
    return bad


def write_fifty(path: Path, good: list[tuple[str, str]], bad: list[tuple[str, str]]) -> set[str]:
    """Forty good rows and ten bad ones among them; returns the names of the good ones."""
    rows = [(*good[number % len(good)], number % 5 + 2) for number in range(40)]
    for number, each in enumerate(bad):
        rows.insert(4 * number + 1, (*each, 3))
    with path.open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["source", "driving", "max_frames", "output"])
        table.writerows((*row, f"{number:02d}.mp4") for number, row in enumerate(rows))
    return {f"{number:02d}.mp4" for number, row in enumerate(rows) if row[:2] not in bad}


def check_fifty(folder: Path, bad: list[tuple[str, str]], good: list[tuple[str, str]]) -> None:
    wanted = write_fifty(folder / "pairs.csv", good, bad)
    words = ("--pairs", "pairs.csv", "--workers", "2")
    code, out, told = ended(batch(folder, "out", words=words))
    assert code == 1
    assert set(outputs(folder / "out")) == wanted
    assert out.startswith("40 done, 0 done before, 10 failed; ")
    failed = [line for line in out.splitlines() if line.startswith("failed  ")]
    assert len(failed) == 10
    for line in failed:
        assert "(pairs.csv, line " in line
        assert any(Path(path).name in line for pair in bad for path in pair)
    assert out.splitlines()[-1] == "the same command with --retry-failed tries again what failed"
    assert told.count("failed: ") == 10
    code, out, told = ended(batch(folder, "out", words=words))
    assert (code, told.splitlines()) == (1, ["batch: 0 to make, 40 done before, 10 failed before, 2 workers"])
    code, out, told = ended(batch(folder, "out", "--retry-failed", words=words))
    assert code == 1
    assert out.startswith("0 done, 40 done before, 10 failed; ")
    assert "batch: 10 to make, 40 done before, 2 workers" in told


@pytest.mark.slow
def test_forty_right_and_ten_clear_reasons(short: Path, tmp_path: Path) -> None:
    copied(short, tmp_path)
    people, clip = sorted((tmp_path / "people").iterdir()), next((tmp_path / "dances").iterdir())
    bad = nasty_files(tmp_path / "bad", people[0], clip)
    check_fifty(tmp_path, bad, [(str(each), str(clip)) for each in people])


@pytest.mark.slow
def test_forty_right_among_real_bad_files(short: Path, tmp_path: Path, shared_data: Path) -> None:
    copied(short, tmp_path)
    people, clip = sorted((tmp_path / "people").iterdir()), next((tmp_path / "dances").iterdir())
    check_fifty(tmp_path, real_nasty_files(shared_data, people[0], clip), [(str(each), str(clip)) for each in people])


def test_the_first_failure_may_end_it_and_too_long_is_a_failure(short: Path, tmp_path: Path) -> None:
    copied(short, tmp_path)
    (tmp_path / "people" / "0 a.png").touch()
    code, out, _ = ended(batch(tmp_path, "out", "--halt-on-error", "--workers", "1"))
    assert code == 1
    assert out.startswith("0 done, 0 done before, 1 failed, 2 not begun; ")
    assert "0 a.png is empty (0 bytes)" in out


@pytest.mark.slow
def test_what_takes_too_long_fails_alone(long: Path) -> None:
    code, out, _ = ended(batch(long, "late", "--timeout", "1", "--no-cache"))
    assert code == 1
    reasons = [line for line in out.splitlines() if line.startswith("failed  ")]
    assert [line.endswith("took longer than --timeout 1 s") for line in reasons] == [True, True]


# Names that would be something else to a shell, a template, a terminal or an option parser.
ODD = (
    "new\nline.png", "\N{DANCER} dance.png", "\u202egnp.evil.png", "{source}{}.png", "%s %n.png", "-o.png",
    "--help.png", "\x1b[31mred.png", " .png", "[a-z].png", "*.png",
    "\N{LATIN SMALL LETTER E WITH ACUTE}" * 120 + ".png",
)  # fmt: skip


def test_odd_names_and_things_that_are_no_files(short: Path, tmp_path: Path) -> None:
    copied(short, tmp_path)
    people = tmp_path / "people"
    picture = (people / "0 who?.png").read_bytes()
    for name in ODD:
        (people / name).write_bytes(picture)
    (people / "bad\nname.png").write_text("nothing")
    (people / os.fsdecode(b"\xff\xfe.png")).write_text("nothing")
    os.mkfifo(people / "pipe.png")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(os.path.relpath(people / "plug.png"))
    (people / "loop.png").symlink_to("loop.png")
    (people / "gone.png").symlink_to("nobody.png")
    (people / "link.png").symlink_to("0 who?.png")
    code, out, told = ended(batch(tmp_path, "out", "--max-frames", "2", "--timeout", "60"))
    assert code == 1
    assert len(outputs(tmp_path / "out")) == 3 + len(ODD)
    assert "note: people: left out, as of no known kind: gone.png, loop.png, pipe.png, plug.png" in told
    assert [line.split(":")[0] for line in out.splitlines()[1:3]] == [
        "failed  bad\\nname_-clip 0_avatar.mp4", "failed  ___-clip 0_avatar.mp4",
    ]  # fmt: skip
    assert not set("\x1b\u202e") & set(out + told)
    assert all(line.startswith(("note: ", "batch: ", "[")) for line in told.splitlines())
    code, out, told = ended(batch(tmp_path, "out", "--retry-failed", "--max-frames", "2", "--json"))
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[-1]["event"] == "over"
    assert any("\\udcff\\udcfe.png" in each["reason"] for each in lines[-1]["failed"])


def test_outputs_become_no_sources(short: Path, tmp_path: Path) -> None:
    """Whether the output folder lies in that of the sources, or is it."""
    copied(short, tmp_path)
    before = {path: path.read_bytes() for path in [*(tmp_path / "dances").iterdir(), *(tmp_path / "people").iterdir()]}
    for output in ("people/out", "dances"):
        for told in ("to make", "0 to make, 2 done before"):
            code, _, err = ended(batch(tmp_path, output, "--max-frames", "2"))
            assert code == 0
            assert told in err
            assert len(outputs(tmp_path / output)) == 2 + (output == "dances")
    assert before == {path: path.read_bytes() for path in before}


def test_an_output_takes_no_inputs_place(short: Path, tmp_path: Path) -> None:
    copied(short, tmp_path)
    clip = tmp_path / "dances" / "-clip 0.mp4"
    before = clip.read_bytes()
    rows = ["source,driving,output", "people/0 who?.png,dances/-clip 0.mp4,-CLIP 0.mp4"]
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    (tmp_path / "way").symlink_to("dances")
    code, _, told = ended(batch(tmp_path, "way", words=("--pairs", "pairs.csv")))
    assert code == 2
    assert "error: pairs.csv, line 2, output '-CLIP 0.mp4': would take the place of " in told
    assert clip.read_bytes() == before
    assert [path.name for path in (tmp_path / "dances").iterdir()] == ["-clip 0.mp4"]


def test_the_same_file_twice_is_one(short: Path) -> None:
    code, out, told = ended(batch(short, "once", "-s", "people/../people/0 who?.png", "--max-frames", "2"))
    assert code == 0
    assert out.startswith("2 done")
    assert "is named twice, and taken once" in told


# --- disks -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, with little room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a disk of its own can't be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


@pytest.mark.slow
def test_a_full_disk_costs_nothing_that_is_finished(long: Path, small_disk: Path) -> None:
    code, out, _ = ended(batch(long, small_disk / "out", "--workers", "1"))
    assert code in (1, 3)
    full = [line for line in out.splitlines() if line.startswith("failed  ")]
    assert all("No space left on device" in line for line in full)
    done = outputs(small_disk / "out")
    remount(small_disk, "size=20m")
    code, out, told = ended(batch(long, small_disk / "out", "--retry-failed"))
    assert code == 0, told
    assert f"{len(done)} done before, 0 failed" in out
    assert ended(batch(long, "roomy"))[0] == 0
    assert outputs(small_disk / "out") == outputs(long / "roomy")
    assert done.items() <= outputs(small_disk / "out").items()


@pytest.mark.slow
def test_a_disk_that_is_only_read(short: Path, small_disk: Path) -> None:
    remount(small_disk, "ro")
    code, _, told = ended(batch(short, small_disk / "out"))
    assert code == 3
    assert "Read-only file system" in told
    assert "hint: choose an --output folder that is writable" in told
    code, out, _ = ended(batch(short, "kept", "--cache", str(small_disk / "cache")))
    assert (code, out.split(",")[0]) == (0, "2 done")
    assert outputs(short / "kept") == outputs(short / "whole")


def test_no_room_for_the_manifest_itself(short: Path) -> None:
    code, _, told = ended(batch(short, "tight", program=(sys.executable, "-c", TIGHT)))
    assert code == 3
    assert told.splitlines()[0].startswith("error: can't work with tight/batch.sqlite: ")
    assert told.splitlines()[1].startswith("hint: ")
    assert ended(batch(short, "tight"))[0] == 0


def test_an_output_that_is_a_file(short: Path) -> None:
    (short / "file").write_text("mine")
    code, _, told = ended(batch(short, "file"))
    assert (code, told.splitlines()[0]) == (3, "error: --output file: is a file, expected a folder")
    assert (short / "file").read_text() == "mine"


# --- manifests -------------------------------------------------------------------------------------------------------


@pytest.fixture
def finished(short: Path, tmp_path: Path) -> Path:
    """A batch that is finished."""
    copied(short, tmp_path)
    assert ended(batch(tmp_path, "out", "--max-frames", "2"))[0] == 0
    return tmp_path


def test_a_manifest_of_a_newer_version_or_none_at_all(finished: Path) -> None:
    made = outputs(finished / "out")
    manifest = finished / "out" / "batch.sqlite"
    whole = manifest.read_bytes()
    with sqlite3.connect(manifest) as base:
        base.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    base.close()
    newer = manifest.read_bytes()
    for content, wanted in (
        (newer, "was made by a newer retarget"),
        (whole[:9000] + b"\xff" * 8000 + whole[17000:], "is damaged"),
        (b"this is no manifest" * 300, "is damaged, or no manifest"),
    ):
        manifest.write_bytes(content)
        for words in (["batch", *WORDS, "-o", "out"], ["batch", "status", "out"], ["batch", "report", "out"]):
            done = subprocess.run(
                [*PROGRAM, *words], cwd=finished, capture_output=True, text=True, check=False
            )
            if words[1] in ("status", "report") and done.returncode == 0:
                continue  # what they read was whole
            assert done.returncode == 3, done.stderr
            assert wanted in done.stderr.splitlines()[0]
            assert done.stderr.splitlines()[1].startswith("hint: ")
        assert manifest.read_bytes() == content
    assert outputs(finished / "out") == made


def test_what_was_deleted_is_made_again(finished: Path) -> None:
    made = outputs(finished / "out")
    (finished / "out" / "0 who?_-clip 0_avatar.mp4").unlink()
    (finished / "out" / "1 who?_-clip 0_avatar.mp4").write_bytes(b"something else")
    code, out, told = ended(batch(finished, "out", "--max-frames", "2"))
    assert (code, out.split(";")[0]) == (0, "2 done, 0 done before, 0 failed")
    assert told.count("is gone, or not what was made; it is made again") == 2
    assert outputs(finished / "out") == made
    (finished / "out" / "batch.sqlite").unlink()
    code, _, told = ended(batch(finished, "out", "--max-frames", "2"))
    assert (code, "this batch has not made it" in told, "--overwrite" in told) == (2, True, True)
    assert ended(batch(finished, "out", "--max-frames", "2", "--overwrite"))[0] == 0
    assert outputs(finished / "out") == made


@pytest.mark.slow
def test_looking_on_and_a_second_driver(long: Path) -> None:
    first = batch(long, "shared")
    wait_for((long / "shared" / "batch.sqlite").is_file)  # its workers need seconds to begin
    code, _, told = ended(batch(long, "shared"))
    assert code == 3
    assert told.splitlines()[0] == "error: shared: another `retarget batch` is at work there"
    for word in ("status", "report"):
        done = subprocess.run(
            [*PROGRAM, "batch", word, "shared"], cwd=long, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("shared: 2 videos, at work\n" if word == "status" else "shared/report.html")
    assert ended(first)[0] == 0


@pytest.mark.slow
def test_a_manifest_that_goes_in_the_middle(long: Path) -> None:
    """Whatever is said of it, the next run has all films right."""
    process = batch(long, "robbed")
    wait_for(lambda: closed(long / "robbed"))
    for path in (long / "robbed").glob("batch.sqlite*"):
        path.unlink()
    code, _, told = ended(process)
    assert code in (0, 3)
    assert code == 0 or "error: can't work with robbed/batch.sqlite" in told
    assert ended(batch(long, "robbed"))[0] == 0
    assert len(outputs(long / "robbed")) == 2


@pytest.mark.slow
def test_clocks_that_jump(short: Path, tmp_path: Path) -> None:
    """The wall clock goes back and forth by years while the driver runs."""
    copied(short, tmp_path)
    for wanted in ("2 done, 0 done before", "0 done, 2 done before"):
        code, out, _ = ended(batch(tmp_path, "out", program=(sys.executable, "-c", JUMPING)))
        assert code == 0
        assert out.startswith(wanted)
    with Manifest.open(tmp_path / "out", may_make=False) as manifest:
        assert manifest.counts()[State.DONE] == 2
        outcomes = [entry.outcome for entry in manifest.rows()]
    assert all(outcome is not None and 0 < outcome.seconds < 120 for outcome in outcomes)
    assert outputs(tmp_path / "out") == outputs(short / "whole")
