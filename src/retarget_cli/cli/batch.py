"""`retarget batch`: many sources, many clips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from retarget_cli.cli import options as given
from retarget_cli.cli.running import running
from retarget_cli.cli.screen import Screen

if TYPE_CHECKING:
    from retarget_cli.batch.engine import Engine
    from retarget_cli.batch.item import Item, Value
    from retarget_cli.batch.run import RunOptions, Summary
    from retarget_cli.batch.watching import Watcher

SOME_FAILED = 1
# `animate`'s options that hold for all items, as they were written.
_COMMON = (
    "backend", "motion", "framing", "smooth", "missing", "person", "source_person", "background", "size", "fps",
    "start", "end", "max_frames", "audio", "codec", "crf", "device", "body",
)  # fmt: skip
_SWITCHES = ("no_audio", "compare", "find_best_frame")

batch = typer.Typer(
    invoke_without_command=True, no_args_is_help=True, subcommand_metavar="[status|report]", rich_markup_mode=None
)


@batch.callback()
def run(
    context: typer.Context,
    source: Annotated[
        list[str] | None, typer.Option("--source", "-s", help=f"Folder of people, photo, clip, subject; {given.MANY}.")
    ] = None,
    driving: Annotated[
        list[str] | None, typer.Option("--driving", "-d", help=f"Folder of clips, clip, motion file; {given.MANY}.")
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Instead: .csv, .jsonl or .yaml, a row a video; columns are animate's options.")
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="Folder or URL for all results.")] = "batch",
    template: Annotated[
        str | None,
        typer.Option(
            help="Names in it; may hold {source} {driving} {backend} {index}. "
            "Default: {source}_{driving}_{backend}.mp4; .mov where transparent."
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="Processes of this machine, or Ray (retarget-cli[ray]).")
    ] = "local",
    address: Annotated[str | None, typer.Option(help="Of a Ray cluster; default: one of its own.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Videos at a time; default as the machine can.")] = None,
    gpus_per_worker: Annotated[float | None, typer.Option(min=0, help="With Ray: of a GPU, for each.")] = None,
    timeout: Annotated[float | None, typer.Option(min=1, help="Seconds that a video may take.")] = None,
    halt_on_error: Annotated[bool, typer.Option("--halt-on-error", help="Begin nothing after a failure.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what others have put there.")] = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")] = False,
    cache: Annotated[str | None, typer.Option(help="Folder or URL of what is perceived.")] = None,
    metrics_port: Annotated[int | None, typer.Option(min=1, max=65535, help="Tell Prometheus here.")] = None,
    backend: Annotated[str | None, typer.Option(help="For all, as are the following: method; see `animate`.")] = None,
    setting: given.Settings = None,
    motion: Annotated[str | None, typer.Option(help="relative, absolute.")] = None,
    framing: Annotated[str | None, typer.Option(help="fit, follow, exact.")] = None,
    smooth: Annotated[str | None, typer.Option(help="0 to 1.")] = None,
    missing: Annotated[str | None, typer.Option(help="hold, skip, fail.")] = None,
    person: Annotated[str | None, typer.Option(help="Who in the clip.")] = None,
    source_person: Annotated[str | None, typer.Option(help="Who in the source.")] = None,
    background: Annotated[str | None, typer.Option(help="source, driving, transparent, #rrggbb, or a path.")] = None,
    size: Annotated[str | None, typer.Option(help="Longer side or WIDTHxHEIGHT.")] = None,
    fps: Annotated[str | None, typer.Option(help="30, 29.97, 30000/1001.")] = None,
    start: Annotated[str | None, typer.Option(help="Of every clip.")] = None,
    end: Annotated[str | None, typer.Option(help="Of every clip.")] = None,
    max_frames: Annotated[str | None, typer.Option(help="Of every clip.")] = None,
    no_audio: given.NoAudio = False,
    audio: Annotated[str | None, typer.Option(help="Sound from this file instead.")] = None,
    codec: Annotated[str | None, typer.Option(help="h264, h265, ...")] = None,
    crf: Annotated[str | None, typer.Option(help="Quality.")] = None,
    compare: given.Compare = False,
    find_best_frame: Annotated[bool, typer.Option("--find_best_frame", help="As `animate`.")] = False,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, cuda:N, mps.")] = None,
    body: Annotated[str | None, typer.Option(help="anny, smpl.")] = None,
    no_cache: given.NoCache = False,
    quiet: given.Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object for everything that happens.")] = False,
    debug: given.Debug = False,
) -> None:
    """Make every source move like every clip: one bad file harms no other, and a stopped batch goes on.

    The same command again makes what is missing. `retarget batch status OUT` tells how far it is,
    `retarget batch report OUT` writes a page.
    """
    if context.invoked_subcommand is not None:
        return
    values = dict(locals())
    if bool(pairs) == bool(source or driving):
        raise typer.BadParameter("give either --source and --driving, or --pairs")
    if pairs is None and not (source and driving):
        raise typer.BadParameter("give both --source and --driving, or --pairs")
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        summary = _work(screen, values)
        _tell(screen, summary)
    if summary.failed or summary.failed_before:
        raise typer.Exit(SOME_FAILED)


def _work(screen: Screen, values: dict[str, Any]) -> Summary:
    """Plan, and run what is planned."""
    from retarget_cli.batch.apart import check_free
    from retarget_cli.batch.manifest import Manifest
    from retarget_cli.batch.place import work_folder
    from retarget_cli.batch.run import run_batch
    from retarget_cli.batch.status import visible
    from retarget_cli.cli.batch_screen import open_batch_screen

    items, notes = _planned(values)
    for note in notes:
        screen.line(f"note: {visible(note)}")
    folder = work_folder(values["output"])
    with ExitStack() as stack:
        manifest = stack.enter_context(Manifest.open(folder, may_make=True))
        if not values["overwrite"]:
            check_free(items, values["output"], manifest)
        added = manifest.add(items)
        if added.changed:
            screen.line(f"note: {added.changed} asked for with other options than before: made anew")
        watchers: list[Watcher] = [stack.enter_context(open_batch_screen(screen))]
        if values["metrics_port"] is not None:
            watchers.append(stack.enter_context(_monitored(values["metrics_port"])))
        return run_batch(manifest, _engine(values, folder), _run_options(values), watchers)


def _planned(values: dict[str, Any]) -> tuple[list[Item], tuple[str, ...]]:
    from retarget_cli.batch.apart import own_of
    from retarget_cli.batch.place import work_folder
    from retarget_cli.batch.plan import plan_items

    output, sources, drivings = values["output"], tuple(values["source"] or ()), tuple(values["driving"] or ())
    own = own_of(output, [*sources, *drivings], work_folder(output))
    planned = plan_items(sources, drivings, values["pairs"], values["template"], common_options(values), own)
    return planned.items, planned.notes


def common_options(values: dict[str, Any]) -> dict[str, Value]:
    """What holds for all items, as rows of a table say it."""
    common: dict[str, Value] = {name: values[name] for name in _COMMON if values[name] is not None}
    common.update({name: "true" for name in _SWITCHES if values[name]})
    if values["setting"]:
        common["set"] = tuple(f"{name}={value}" for name, value in values["setting"])
    return common


def _run_options(values: dict[str, Any]) -> RunOptions:
    from retarget_cli.batch.run import RunOptions

    return RunOptions(
        values["output"],
        "" if values["no_cache"] else values["cache"],
        has_retry=values["retry_failed"],
        halts=values["halt_on_error"],
    )


def _engine(values: dict[str, Any], folder: Path) -> Engine:
    if values["engine"] == "ray":
        from retarget_cli.batch.ray_engine import RayEngine

        return RayEngine(values["address"], values["workers"], values["gpus_per_worker"], values["timeout"])
    for name in ("address", "gpus_per_worker"):
        if values[name] is not None:
            raise typer.BadParameter(f"--{name.replace('_', '-')} goes with --engine ray")
    from retarget_cli.batch.local import LocalEngine

    return LocalEngine(values["workers"], values["timeout"], folder / "logs")


@contextmanager
def _monitored(port: int) -> Iterator[Watcher]:
    from retarget_cli.batch.endpoint import open_endpoint
    from retarget_cli.batch.monitor import Monitor

    with open_endpoint(port) as endpoint:
        yield Monitor(endpoint)


def _tell(screen: Screen, summary: Summary) -> None:
    """The table at the end."""
    from retarget_cli.batch.status import visible

    lines = [
        f"{summary.done} done, {summary.skipped} done before, {len(summary.failed)} failed"
        + (f", {summary.failed_before} failed before" if summary.failed_before else "")
        + (f", {summary.left} not begun" if summary.left else "")
        + f"; {summary.frames} frames in {summary.seconds:.1f} s"
    ]
    for item, outcome in summary.failed:
        place = f" ({visible(item.place)})" if item.place else ""
        lines.append(f"failed  {visible(item.output)}{place}: {visible(outcome.reason)}")
    if summary.failed or summary.failed_before:
        lines.append("the same command with --retry-failed tries again what failed")
    elif summary.left:
        lines.append("the same command makes the others")
    data = {
        "event": "over", "done": summary.done, "skipped": summary.skipped, "left": summary.left,
        "failed_before": summary.failed_before, "frames": summary.frames, "seconds": round(summary.seconds, 3),
        "failed": [{"output": item.output, "place": item.place, "reason": out.reason} for item, out in summary.failed],
    }  # fmt: skip
    screen.result("\n".join(lines), data)


@batch.command()
def status(
    output: Annotated[str, typer.Argument(metavar="OUT", help="The batch's folder.")],
    as_json: given.AsJson = False,
    debug: given.Debug = False,
) -> None:
    """How far a batch is; also while it runs."""
    with running(as_json=as_json, debug=debug) as screen:
        from retarget_cli.batch.place import work_folder
        from retarget_cli.batch.status import status as workflow

        found = workflow(work_folder(output))
        screen.result(found.text(), found.data())


@batch.command()
def report(
    output: Annotated[str, typer.Argument(metavar="OUT", help="The batch's folder.")],
    page: Annotated[Path | None, typer.Option("--page", help="Where the page goes; default OUT/report.html.")] = None,
    as_json: given.AsJson = False,
    debug: given.Debug = False,
) -> None:
    """One page about a batch: pictures, times, failures."""
    with running(as_json=as_json, debug=debug) as screen:
        from retarget_cli.batch.place import work_folder
        from retarget_cli.batch.report import write_report

        made = write_report(work_folder(output), page)
        screen.result(str(made), {"path": str(made)})
