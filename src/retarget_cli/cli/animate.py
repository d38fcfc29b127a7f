"""`retarget animate`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retarget_cli.cli import options as given
from retarget_cli.cli.running import running

if TYPE_CHECKING:
    from retarget_cli.cli.screen import Screen
    from retarget_cli.core.progress import Progress
    from retarget_cli.perception.cache import Cache
    from retarget_cli.workflows.animate import AnimateResult
    from retarget_cli.workflows.animate_options import AnimateOptions


def animate(
    driving: Annotated[Path, typer.Option("--driving", "-d", "--driving_video", help=f"{given.CLIP}.")],
    source: given.Source = None,
    subject: given.SubjectFile = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            "--result_video",
            help=f"{given.KINDS}; {given.PLACES}. Default: {{source}}_{{driving}}.mp4, .mov when transparent.",
        ),
    ] = None,
    backend: given.BackendName = None,
    setting: given.Settings = None,
    motion: given.PathName = "relative",
    relative: Annotated[bool, typer.Option("--relative", help="As --motion relative.")] = False,
    adapt_scale: Annotated[
        bool,
        typer.Option(
            "--adapt_scale",
            "--adapt-scale",
            help="Scale relative movements by the objects' sizes; of people proportions are always the source's.",
        ),
    ] = False,
    find_best_frame: Annotated[
        bool,
        typer.Option(
            "--find_best_frame",
            "--find-best-frame",
            help="Let the driving frame most like the source stand for its start.",
        ),
    ] = False,
    crop: given.Crop = "none",
    driving_crop: given.DrivingCrop = "none",
    framing: given.FramingName = "fit",
    smooth: given.Smooth = 0.35,
    missing: given.MissingName = "hold",
    person: given.Person = "largest",
    source_person: given.SourcePerson = "largest",
    background: given.BackgroundName = "source",
    size: given.Size = None,
    fps: given.Rate = None,
    start: given.Start = None,
    end: given.End = None,
    max_frames: given.MaxFrames = None,
    no_audio: given.NoAudio = False,
    audio: given.Audio = None,
    codec: given.CodecName = None,
    crf: given.Crf = None,
    compare: given.Compare = False,
    debug_volume: given.DebugVolume = None,
    overwrite: given.Overwrite = False,
    resume: given.Resume = False,
    device: given.Device = "auto",
    body: given.BodyName = "anny",
    no_cache: given.NoCache = False,
    quiet: given.Quiet = False,
    as_json: given.AsJson = False,
    debug: given.Debug = False,
) -> None:
    """Make a video of the person in the source moving like the person in the driving clip."""
    values = dict(locals())
    check_pairs(values)
    if relative and motion == "absolute":
        raise typer.BadParameter("--relative and --motion absolute contradict each other")
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        run(screen, values)


def run(screen: Screen, values: dict[str, Any]) -> None:
    """Do the work of the parsed command line and show the outcome."""
    from retarget_cli.workflows import animate as workflow

    output = values["output"] or default_output(values["background"], values["compare"])
    perform(screen, options_of(values, output=output), workflow.animate, values["no_cache"])


def perform(
    screen: Screen,
    options: AnimateOptions,
    work: Callable[[AnimateOptions, Cache | None, Progress], AnimateResult],
    no_cache: bool,
) -> None:
    """Let a workflow do its work, and show the outcome."""
    from retarget_cli.cli.compilation import announce_compilation
    from retarget_cli.cli.progress import open_progress
    from retarget_cli.perception.cache import default_cache

    with open_progress(screen) as progress:
        announce_compilation(progress)
        result = work(options, None if no_cache else default_cache(), progress)
    for note in result.notes:
        screen.line(f"note: {note}")
    screen.result(summary(result), as_data(result))


def options_of(values: dict[str, Any], **more: Any) -> AnimateOptions:
    """The command line's words as the workflow's values; `more` is what the command has of its own."""
    from retarget_cli.body.placement import Framing, MotionPath
    from retarget_cli.perception.missing import Missing
    from retarget_cli.workflows.animate_options import AnimateOptions
    from retarget_cli.workflows.driving import Excerpt

    same = (
        "driving subject backend body smooth person source_person find_best_frame crop driving_crop background size "
        "fps audio codec crf device garment_person freeze debug_volume"
    )
    return AnimateOptions(
        sources=tuple(values["source"] or ()),
        settings=tuple(values["setting"] or ()),
        motion=MotionPath(values["motion"]),
        framing=Framing(values["framing"]),
        missing=Missing(values["missing"]),
        excerpt=Excerpt(values["start"], values["end"], values["max_frames"]),
        has_audio=not values["no_audio"],
        is_compared=values["compare"],
        may_overwrite=values["overwrite"],
        is_resumed=values.get("resume", False),
        adapts_scale=values.get("adapt_scale", False),
        **{name: values[name] for name in same.split() if name in values},
        **more,
    )


def check_pairs(values: dict[str, Any]) -> None:
    """Refuse options that contradict each other.

    Raises:
        typer.BadParameter: they do.
    """
    if bool(values["source"]) == (values["subject"] is not None):
        raise typer.BadParameter("give either --source or --subject")
    if values["audio"] is not None and values["no_audio"]:
        raise typer.BadParameter("--audio and --no-audio contradict each other")


def default_output(background: str, is_compared: bool) -> str:
    """The name of a result that the user did not name: of a kind that can hold what it shows."""
    return "{source}_{driving}" + (".mov" if background == "transparent" and not is_compared else ".mp4")


def summary(result: AnimateResult) -> str:
    """One line: what was made."""
    height, width = result.size
    speed = result.frames / max(result.seconds, 1e-9)
    return (
        f"{result.path}: {result.frames} frames, {width}x{height}, {float(result.rate):g} fps, "
        f"in {result.seconds:.1f} s ({speed:.0f} frames a second)"
    )


def as_data(result: AnimateResult) -> dict[str, object]:
    """The result as JSON types."""
    return {
        "path": str(result.path),
        "frames": result.frames,
        "width": result.size[1],
        "height": result.size[0],
        "fps": str(result.rate),
        "seconds": round(result.seconds, 3),
        "first_frame_seconds": round(result.first_frame, 3),
        "device": result.device,
        "resumed": result.resumed,
        "notes": list(result.notes),
    }
