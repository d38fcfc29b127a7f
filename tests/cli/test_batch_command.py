"""`retarget batch`: every option reaches its place, and what makes no sense together is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from retarget_cli.batch import local, ray_engine
from retarget_cli.batch import run as driver
from retarget_cli.batch.engine import Engine, Event, Finished, Job, Jobs, Progressed, Started
from retarget_cli.batch.item import Fault, Item, Outcome, State, Value
from retarget_cli.batch.verify import content_of
from retarget_cli.batch.watching import Begun
from retarget_cli.cli.app import app
from retarget_cli.cli.batch_screen import LiveTable
from retarget_cli.cli.screen import Screen

Result = Any  # typer brings its own copy of click's class


class Recorder(Engine):
    """Notes what it is made with, and pretends to work."""

    made: tuple[object, ...] = ()
    jobs: tuple[Job, ...] = ()

    def __init__(self, *words: object) -> None:
        type(self).made, type(self).jobs = words, ()

    @property
    def workers(self) -> int:
        return 1

    def run(self, jobs: Jobs) -> Generator[Event | None]:
        while not jobs.is_over:
            job = jobs.take()
            if job is None:
                yield None
                continue
            type(self).jobs = (*self.jobs, job)
            yield Started(job, "w1")
            yield Finished(job, _pretended(job))


def _pretended(job: Job) -> Outcome:
    if job.item.source.startswith("bad"):
        return Outcome(Fault.SAID, f"{job.item.source}.png is\x1b[31m damaged (copy it again)", seconds=0.1)
    path = Path(job.output)
    path.write_bytes(b"film")
    content = content_of(path)
    return Outcome(seconds=2.0, frames=30, resumed=10, size=content.size, sha256=content.sha256)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Recorder]:
    """Both engines are the recorder; the working folder has two people and a clip."""
    monkeypatch.setattr(Recorder, "jobs", ())
    monkeypatch.setattr(local, "LocalEngine", Recorder)
    monkeypatch.setattr(ray_engine, "RayEngine", Recorder)
    monkeypatch.chdir(tmp_path)
    for name in ("people/a.png", "people/b.png", "dances/c.mp4"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"x")
    return Recorder


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["batch", *(str(word) for word in words)])


FOLDERS = ("-s", "people", "-d", "dances", "-o", "out")


def test_every_source_with_every_clip(engine: type[Recorder]) -> None:
    result = run(*FOLDERS)
    assert result.exit_code == 0, result.output
    assert engine.made == (None, None, Path("out/logs"))
    assert [job.output for job in engine.jobs] == ["out/a_c_avatar.mp4", "out/b_c_avatar.mp4"]
    assert [job.cache for job in engine.jobs] == [None, None]
    assert result.stderr.splitlines() == [
        "batch: 2 to make, 1 worker",
        "[1 of 2] a_c_avatar.mp4: 30 frames, 10 of them made before, in 2.0 s (10 a second)",
        "[2 of 2] b_c_avatar.mp4: 30 frames, 10 of them made before, in 2.0 s (10 a second)",
    ]
    assert result.stdout.startswith("2 done, 0 done before, 0 failed; 40 frames in ")
    again = run(*FOLDERS)
    assert again.stderr == "batch: 0 to make, 2 done before, 1 worker\n"


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("--backend", "still"), "backend", "still"),
        (("--set", "a=1", "--set", "b=2"), "set", ("a=1", "b=2")),
        (("--motion", "absolute"), "motion", "absolute"),
        (("--framing", "follow"), "framing", "follow"),
        (("--smooth", "0.5"), "smooth", "0.5"),
        (("--missing", "skip"), "missing", "skip"),
        (("--person", "left"), "person", "left"),
        (("--source-person", "2"), "source_person", "2"),
        (("--background", "#00ff00"), "background", "#00ff00"),
        (("--size", "256x128"), "size", "256x128"),
        (("--fps", "30000/1001"), "fps", "30000/1001"),
        (("--start", "0:01"), "start", "0:01"),
        (("--end", "5"), "end", "5"),
        (("--max-frames", "7"), "max_frames", "7"),
        (("--no-audio",), "no_audio", "true"),
        (("--codec", "h265"), "codec", "h265"),
        (("--crf", "20"), "crf", "20"),
        (("--compare",), "compare", "true"),
        (("--find_best_frame",), "find_best_frame", "true"),
        (("--device", "cuda:1"), "device", "cuda:1"),
        (("--body", "smpl"), "body", "smpl"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_options_of_all_items(engine: type[Recorder], words: tuple[str, ...], name: str, value: Value) -> None:
    assert run(*FOLDERS, *words).exit_code == 0
    (options,) = {json.dumps({**job.item.options, "source": ""}, sort_keys=True) for job in engine.jobs}
    told = json.loads(options)
    assert told.pop(name) == (list(value) if isinstance(value, tuple) else value)
    assert set(told) == {"source", "driving"}


def test_sound_of_another_file_is_a_whole_path(engine: type[Recorder], tmp_path: Path) -> None:
    assert run(*FOLDERS, "--audio", "song.mp3").exit_code == 0
    assert {job.item.options["audio"] for job in engine.jobs} == {str(tmp_path / "song.mp3")}


def test_how_it_is_run(engine: type[Recorder], monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []
    whole = driver.run_batch

    def noted(*words: Any) -> driver.Summary:
        heard.append(words[2])
        return whole(*words)

    monkeypatch.setattr(driver, "run_batch", noted)
    assert run(*FOLDERS, "--workers", 3, "--timeout", 9, "--halt-on-error", "--cache", "shelf").exit_code == 0
    assert engine.made == (3, 9.0, Path("out/logs"))
    assert heard.pop() == driver.RunOptions("out", "shelf", halts=True)
    assert run(*FOLDERS, "--no-cache", "--retry-failed").exit_code == 0
    assert heard.pop() == driver.RunOptions("out", "", has_retry=True)
    words = ("--engine", "ray", "--address", "auto", "--workers", 2, "--gpus-per-worker", 0.5, "--timeout", 8)
    assert run(*FOLDERS, *words).exit_code == 0
    assert engine.made == ("auto", 2, 0.5, 8.0)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), ["a_c_avatar.mp4", "b_c_avatar.mp4"]),
        (("--background", "transparent"), ["a_c_avatar.mov", "b_c_avatar.mov"]),
        (("--background", "transparent", "--compare"), ["a_c_avatar.mp4", "b_c_avatar.mp4"]),
        (("--background", "transparent", "--template", "{index}.webm"), ["1.webm", "2.webm"]),
        (("--template", "{driving}/{source}.gif"), ["c/a.gif", "c/b.gif"]),
    ],
)  # fmt: skip
def test_names(engine: type[Recorder], words: tuple[str, ...], names: list[str]) -> None:
    Path("out/c").mkdir(parents=True)
    assert run(*FOLDERS, *words).exit_code == 0
    assert [job.item.output for job in engine.jobs] == names


def test_pairs(engine: type[Recorder]) -> None:
    rows = ("people/a.png,dances/c.mp4,transparent,", "people/b.png,dances/c.mp4,,x.mkv")
    Path("pairs.csv").write_text("\n".join(("source,driving,background,output", *rows)))
    assert run("--pairs", "pairs.csv", "-o", "out").exit_code == 0
    assert [(job.item.output, job.item.place) for job in engine.jobs] == [
        ("a_c_avatar.mov", "pairs.csv, line 2"), ("x.mkv", "pairs.csv, line 3"),
    ]  # fmt: skip


def test_failures_are_lines_and_a_code(engine: type[Recorder]) -> None:
    Path("people/bad\n1.png").write_bytes(b"x")
    result = run(*FOLDERS)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[1:] == [
        "failed  bad\\n1_c_avatar.mp4: bad\\n1.png is\\x1b[31m damaged (copy it again)",
        "the same command with --retry-failed tries again what failed",
    ]
    assert result.stderr.splitlines()[-1].startswith("[3 of 3] failed: bad\\n1 x c: bad\\n1.png is\\x1b")
    assert run(*FOLDERS).stderr == "batch: 0 to make, 2 done before, 1 failed before, 1 worker\n"
    assert run(*FOLDERS, "--quiet").output == ""
    again = run(*FOLDERS, "--retry-failed", "--json")
    lines = [json.loads(line) for line in again.stdout.splitlines()]
    assert [line["event"] for line in lines] == ["checked", "checked", "begun", "started", "failed", "over"]
    assert lines[2]["waiting"] == 1
    assert lines[-1]["failed"][0]["output"] == "bad\n1_c_avatar.mp4"


def test_status_and_report(engine: type[Recorder]) -> None:
    assert run(*FOLDERS).exit_code == 0
    assert run("status", "out").stdout.splitlines()[0] == "out: 2 videos"
    assert json.loads(run("status", "out", "--json").stdout)["counts"]["done"] == 2
    assert run("report", "out", "--page", "page.html").stdout == "page.html\n"
    assert Path("page.html").read_text().count("a_c_avatar.mp4") >= 1
    missing = run("status", "elsewhere")
    assert missing.exit_code == 3
    assert "elsewhere holds no batch" in missing.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-s", "people", "-d", "dances", "--pairs", "pairs.csv"), "give either --source and --driving, or --pairs"),
        (("-o", "out"), "give either --source and --driving, or --pairs"),
        (("-d", "dances"), "give both --source and --driving, or --pairs"),
        (("-s", "people"), "give both --source and --driving, or --pairs"),
        ((*FOLDERS, "--address", "auto"), "--address goes with --engine ray"),
        ((*FOLDERS, "--gpus-per-worker", "1"), "--gpus-per-worker goes with --engine ray"),
        ((*FOLDERS, "--workers", "0"), "--workers"),
        ((*FOLDERS, "--engine", "slurm"), "--engine"),
        ((*FOLDERS, "--template", "../{source}.mp4"), "leads out of the output folder"),
        ((*FOLDERS, "--fps", "fast"), "--fps"),
        ((*FOLDERS, "--crf", "99"), "--crf: '99': expected a whole number from 0 to 63"),
    ],
)  # fmt: skip
def test_what_makes_no_sense(engine: type[Recorder], words: tuple[str, ...], told: str) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.replace("│", " ").split())
    assert engine.jobs == ()


def test_the_help_names_everything() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name in ("--source", "--pairs", "--template", "--engine", "--retry-failed", "--halt-on-error", "--timeout"):
        assert name in result.stdout
    assert ".mov where transparent" in " ".join(result.stdout.split())


def test_the_live_table_fits_its_screen() -> None:
    """A thousand items, more workers than lines, names that would move the cursor, and a film that is gone on with."""
    for width, shown in ((110, {"source", "driving", "stage", "done", "seconds", "worker"}), (40, {"source", "stage"})):
        screen = Screen(io.StringIO(), is_quiet=False, is_json=False, is_debug=False)
        table = LiveTable(screen)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Screen, "console", Console(file=screen.stream, width=width))
            assert table.table().title == "looking at what is there"
            table.hear(Begun({State.WAITING: 1000}, 20))
            for number in range(1, 19):
                item = Item(number, {}, f"person {number} of a long name", "a\n\x1b[31m [bold]", f"{number}.mp4")
                job = Job(item, f"out/{number}.mp4")
                table.hear(Started(job, f"worker {number}"))
                table.hear(Progressed(job, "render", 480, 500))
            screen.console.print(table.table())
            assert isinstance(screen.stream, io.StringIO)
            lines = screen.stream.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        assert [line.rstrip() for line in lines if not line.startswith((" ", "━"))] == [
            "batch: 1000 to make, 20 workers", "0 of 1000 done, 0 failed, 0.0 fps", "and 2 more at work",
        ]  # fmt: skip
        assert shown <= set(next(line for line in lines if " source " in line).replace("┃", " ").split())
        assert sum("480 of 500" in line for line in lines) == 16
        assert "\x1b" not in screen.stream.getvalue()
