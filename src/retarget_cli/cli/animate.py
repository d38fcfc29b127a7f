"""`retarget animate`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from retarget_cli.cli.running import running
from retarget_cli.cli.values import parse_person, parse_rate, parse_setting, parse_time

if TYPE_CHECKING:
    from retarget_cli.cli.screen import Screen
    from retarget_cli.workflows.animate import AnimateOptions, AnimateResult

MANY = "may be given several times"


def animate(
    driving: Annotated[
        Path,
        typer.Option("--driving", "-d", "--driving_video", help="Clip, GIF/WebP, folder of frames, or motion file."),
    ],
    source: Annotated[
        list[str] | None,
        typer.Option("--source", "-s", "--source_image", help=f"Photo, glob, folder or clip of one person; {MANY}."),
    ] = None,
    subject: Annotated[
        Path | None, typer.Option(help="Instead of --source: a file that `retarget personalize` wrote.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            "--result_video",
            help="mp4, mov, mkv, webm, gif, webp, or a folder for PNGs; may hold {source} {driving} {index} {backend}. "
            "Default: {source}_{driving}.mp4, .mov when transparent.",
        ),
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="Method; see `retarget backends`. Default: avatar, or the --subject's.")
    ] = None,
    setting: Annotated[
        list[Any] | None,
        typer.Option("--set", parser=parse_setting, metavar="NAME=VALUE", help=f"Option of the backend; {MANY}."),
    ] = None,
    motion: Annotated[
        Literal["relative", "absolute"],
        typer.Option(help="Start where the source stands, or stand where the driving person does."),
    ] = "relative",
    relative: Annotated[bool, typer.Option("--relative", help="As --motion relative.")] = False,
    adapt_scale: Annotated[
        bool, typer.Option("--adapt_scale", help="Always so: proportions stay the source's.")
    ] = False,
    find_best_frame: Annotated[
        bool, typer.Option("--find_best_frame", help="Let the driving frame most like the source stand for its start.")
    ] = False,
    framing: Annotated[
        Literal["fit", "follow", "exact"],
        typer.Option(help="Keep the person inside the picture, follow with the frame, or let the person walk out."),
    ] = "fit",
    smooth: Annotated[float, typer.Option(min=0, max=1, help="Against jitter: 0 none, 1 strongest.")] = 0.35,
    missing: Annotated[
        Literal["hold", "skip", "fail"], typer.Option(help="Driving frames without a person.")
    ] = "hold",
    person: Annotated[
        Any,
        typer.Option(parser=parse_person, metavar="WHO", help="Who in the clip: largest, left, right, center, N."),
    ] = "largest",
    source_person: Annotated[
        Any, typer.Option(parser=parse_person, metavar="WHO", help="Who in the source picture; as --person.")
    ] = "largest",
    background: Annotated[
        str, typer.Option(help="source, driving, transparent, #rrggbb, or a picture's or clip's path.")
    ] = "source",
    size: Annotated[
        str | None, typer.Option(help="Longer side (720) or WIDTHxHEIGHT; default the source's, 1024 at most.")
    ] = None,
    fps: Annotated[
        Fraction | None,
        typer.Option(
            parser=parse_rate, metavar="RATE", help="30, 29.97 or 30000/1001; default the driving clip's exact times."
        ),
    ] = None,
    start: Annotated[
        Fraction | None,
        typer.Option(parser=parse_time, metavar="TIME", help="Use the driving clip from here: seconds or m:ss."),
    ] = None,
    end: Annotated[Fraction | None, typer.Option(parser=parse_time, metavar="TIME", help="... to here.")] = None,
    max_frames: Annotated[int | None, typer.Option(min=1, help="At most so many frames.")] = None,
    no_audio: Annotated[bool, typer.Option("--no-audio", help="Leave the driving clip's sound out.")] = False,
    audio: Annotated[Path | None, typer.Option(help="Sound from this file instead.")] = None,
    codec: Annotated[str | None, typer.Option(help="h264, h265, av1, vp9, prores, ffv1, h264_nvenc ...")] = None,
    crf: Annotated[int | None, typer.Option(min=0, max=63, help="Quality; lower is better.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Source, driving and result side by side.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N, mps.")] = "auto",
    body: Annotated[str, typer.Option(help="Body model: anny, or smpl (see `retarget doctor`).")] = "anny",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Do not keep or use what was perceived before.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object about the result.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="More of the log, and tracebacks.")] = False,
) -> None:
    """Make a video of the person in the source moving like the person in the driving clip."""
    values = dict(locals())
    if bool(source) == (subject is not None):
        raise typer.BadParameter("give either --source or --subject")
    if relative and motion == "absolute":
        raise typer.BadParameter("--relative and --motion absolute contradict each other")
    if audio is not None and no_audio:
        raise typer.BadParameter("--audio and --no-audio contradict each other")
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        if adapt_scale:
            screen.line("note: --adapt_scale changes nothing, proportions are always the source's")
        run(screen, values)


def run(screen: Screen, values: dict[str, Any]) -> None:
    """Do the work of the parsed command line and show the outcome."""
    from retarget_cli.cli.compilation import announce_compilation
    from retarget_cli.cli.progress import open_progress
    from retarget_cli.perception.cache import default_cache
    from retarget_cli.workflows import animate as workflow

    options = options_of(values)
    with open_progress(screen) as progress:
        announce_compilation(progress)
        result = workflow.animate(options, None if values["no_cache"] else default_cache(), progress)
    for note in result.notes:
        screen.line(f"note: {note}")
    screen.result(summary(result), as_data(result))


def options_of(values: dict[str, Any]) -> AnimateOptions:
    """The command line's words as the workflow's values."""
    from retarget_cli.body.placement import Framing, MotionPath
    from retarget_cli.perception.missing import Missing
    from retarget_cli.workflows.animate import AnimateOptions
    from retarget_cli.workflows.driving import Excerpt

    same = (
        "driving subject backend body smooth person source_person find_best_frame background size fps audio codec crf "
        "device"
    )
    return AnimateOptions(
        sources=tuple(values["source"] or ()),
        output=values["output"] or default_output(values["background"], values["compare"]),
        settings=tuple(values["setting"] or ()),
        motion=MotionPath(values["motion"]),
        framing=Framing(values["framing"]),
        missing=Missing(values["missing"]),
        excerpt=Excerpt(values["start"], values["end"], values["max_frames"]),
        has_audio=not values["no_audio"],
        is_compared=values["compare"],
        may_overwrite=values["overwrite"],
        **{name: values[name] for name in same.split()},
    )


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
        "notes": list(result.notes),
    }
