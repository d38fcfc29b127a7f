"""`retarget eval`: run, score, report, study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retarget_cli.cli.running import running
from retarget_cli.cli.tables import table
from retarget_cli.cli.values import parse_box

if TYPE_CHECKING:
    from retarget_cli.cli.screen import Screen
    from retarget_cli.evaluation.results import Report
    from retarget_cli.workflows.evaluate import Evaluation

evaluation = typer.Typer(name="eval", help="Measure methods: render and score, score, compare.", no_args_is_help=True)

SOME_FAILED = 1

Output = Annotated[Path, typer.Option("--output", "-o", help="Folder of the run; the same one again goes on with it.")]
Metrics = Annotated[
    list[str] | None,
    typer.Option("--metric", "-m", help="Metric or group (pixels, no-weights, all); may be repeated. Default: all."),
]
Weights = Annotated[
    Path | None, typer.Option("--weights", help="Folder with weights of learned metrics (retarget weights list).")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")]
Stride = Annotated[int, typer.Option(min=1, help="Score every N-th frame only.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Begin anew where the folder holds another run.")]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write report.json only, no pages.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object about the result.")]
Debug = Annotated[bool, typer.Option("--debug", help="More of the log, and tracebacks.")]


@evaluation.command()
def run(
    dataset: Annotated[Path, typer.Argument(help="Folder of clips in any known layout, or one clip.")],
    backend: Annotated[
        list[str], typer.Option("--backend", "-b", help="Method, such as avatar:samples=1; may be repeated.")
    ],
    output: Output,
    protocol: Annotated[
        str | None,
        typer.Option(help="self-imitation (default), cross-imitation, novel-view, appearance-transfer."),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="A paper's protocol; `retarget eval protocols` lists them.")
    ] = None,
    sources: Annotated[int | None, typer.Option(min=1, max=8, help="Pictures of the source person.")] = None,
    pick: Annotated[
        str | None, typer.Option(help="Which: views (around the person, default), first, random.")
    ] = None,
    pairs: Annotated[int | None, typer.Option(min=1, help="Pairs in cross-imitation, at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of random pairs and pictures.")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="Of each clip, at most.")] = None,
    stride: Stride = 1,
    size: Annotated[
        str | None, typer.Option(help="Box that frames are fitted into: 256 or WIDTHxHEIGHT. Default: 256.")
    ] = None,
    true_motion: Annotated[
        bool, typer.Option("--true-motion", help="Synthetic data drives by its own motion, nothing is perceived.")
    ] = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Score the person on black.")] = False,
    layout: Annotated[str | None, typer.Option(help="Of the data set, such as iper; else it is found out.")] = None,
    split: Annotated[str, typer.Option(help="Part of the data set: test or train.")] = "test",
    metric: Metrics = None,
    weights: Weights = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    no_report: NoReport = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Do not keep or use what was perceived before.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Render a protocol's cases with several methods, and score them."""
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.cli.progress import open_progress
        from retarget_cli.evaluation.protocols import Pick, Task, parse_word
        from retarget_cli.evaluation.protocols import protocol as make_protocol
        from retarget_cli.perception.cache import default_cache
        from retarget_cli.workflows.evaluate import EvaluateOptions, evaluate

        asked = make_protocol(
            preset,
            task=None if protocol is None else parse_word("--protocol", protocol, Task),
            sources=sources,
            pick=None if pick is None else parse_word("--pick", pick, Pick),
            pairs=pairs,
            seed=seed,
            frames=frames,
            stride=stride,
            size=None if size is None else parse_box(size),
            has_true_motion=true_motion or None,
            is_foreground=foreground or None,
        )
        options = EvaluateOptions(
            dataset, output, tuple(backend), asked, layout, split,
            tuple(metric or ("all",)), weights, device, overwrite,
        )  # fmt: skip
        with open_progress(screen) as progress:
            found = evaluate(options, None if no_cache else default_cache(), progress)
        _finish(screen, found, no_report)


@evaluation.command()
def score(
    rendered: Annotated[
        list[str],
        typer.Option("--rendered", "-r", help="Clip, folder of frames, or folder of either; NAME=PATH names it."),
    ],
    target: Annotated[Path, typer.Option("--target", "-t", help="The truth; clips are matched by name.")],
    output: Output,
    source: Annotated[
        Path | None, typer.Option(help="Pictures of the source persons, by the clips' names (for CSIM).")
    ] = None,
    masks: Annotated[
        Path | None, typer.Option(help="Folders of masks of the targets' persons, by the clips' names.")
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Bring both into this box: 256 or WIDTHxHEIGHT. Default: sizes must agree.")
    ] = None,
    stride: Stride = 1,
    foreground: Annotated[bool, typer.Option("--foreground", help="Black out the target's background.")] = False,
    metric: Metrics = None,
    weights: Weights = None,
    device: Device = "auto",
    overwrite: Overwrite = False,
    no_report: NoReport = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Score what any tool has rendered."""
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.cli.progress import open_progress
        from retarget_cli.workflows.score import ScoreOptions, parse_rendered, score_folders

        options = ScoreOptions(
            parse_rendered(rendered), target, output, source, masks,
            None if size is None else parse_box(size), stride, foreground,
            tuple(metric or ("all",)), weights, device, overwrite,
        )  # fmt: skip
        with open_progress(screen) as progress:
            found = score_folders(options, progress)
        _finish(screen, found, no_report)


@evaluation.command()
def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the report.")],
    study: Annotated[
        list[Path] | None, typer.Option("--study", help="CSV files that a user study gave; may be repeated.")
    ] = None,
    videos: Annotated[int, typer.Option(min=0, help="Side-by-side videos in the page, at most.")] = 24,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Compare runs: JSON, CSV, Markdown and one page."""
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.cli.progress import open_progress
        from retarget_cli.evaluation.report.writer import write_report

        with open_progress(screen) as progress:
            paths = write_report(runs, output, tuple(study or ()), progress, max_videos=videos)
        screen.result("\n".join(map(str, paths)), {"files": [str(path) for path in paths]})


@evaluation.command()
def study(
    runs: Annotated[list[Path], typer.Argument(help="Folders of runs.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("study.html"),
    design: Annotated[str, typer.Option(help="pairs (A or B), single (real or not), both.")] = "both",
    seed: Annotated[int, typer.Option(help="Of orders and sides.")] = 0,
    per_person: Annotated[int | None, typer.Option(min=1, help="Questions to each person, at most.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Write a page for a blind user study; `report --study` reads its results."""
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.core.errors import UsageError
        from retarget_cli.evaluation.study.writer import write_study

        if design not in ("pairs", "single", "both"):
            raise UsageError(f"--design {design}: unknown", "known: pairs, single, both")
        path = write_study(runs, output, design, seed, per_person)  # type: ignore[arg-type]
        screen.result(str(path), {"page": str(path)})


@evaluation.command()
def protocols(as_json: AsJson = False, debug: Debug = False) -> None:
    """List the papers' protocols."""
    with running(as_json=as_json, debug=debug) as screen:
        from retarget_cli.evaluation.protocols import PRESETS

        rows = [(name, preset.summary) for name, preset in PRESETS.items()]
        screen.result(table(("preset", "what it is"), rows), dict(rows))


def _finish(screen: Screen, found: Evaluation, has_no_pages: bool) -> None:
    """Write the report, show the table, and end with 1 where some clips failed."""
    import json

    from retarget_cli.evaluation.run_folder import RunFolder

    data = found.report.data()
    paths = [RunFolder(found.folder).write_text("report.json", json.dumps(data, ensure_ascii=False, indent=1))]
    if not has_no_pages:
        from retarget_cli.evaluation.report.writer import write_report

        paths = write_report([found.folder], found.folder)
    absent: dict[str, list[str]] = {}
    for missing in found.report.missing:
        absent.setdefault(f"{missing.reason}; {missing.command}", []).append(missing.name)
    for reason, names in absent.items():
        screen.line(f"n/a: {', '.join(names)}: {reason}")
    done = found.total - found.failed
    screen.line(f"{done} of {found.total} clips scored" + (f", {found.failed} failed" if found.failed else ""))
    result = {
        "folder": str(found.folder),
        "files": [str(each) for each in paths],
        "clips": found.total,
        "failed": found.failed,
        "overall": data["overall"],
    }
    screen.result(overall_table(found.report), result)
    if found.failed:
        raise typer.Exit(SOME_FAILED)


def overall_table(found: Report) -> str:
    """A row a method."""
    heads = ["method", *(f"{info.name}{' ^' if info.is_higher_better else ' v'}" for info in found.metrics)]
    rows = []
    for method, values in found.overall.items():
        means = [values[info.key].mean for info in found.metrics]
        rows.append([method, *("n/a" if mean is None else f"{mean:.4g}" for mean in means)])
    return table(heads, rows)
