"""`retarget synth`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

import typer

from retarget_cli.cli.running import running
from retarget_cli.cli.values import parse_rate


def synth(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Data set to make, or to go on with.")],
    clips: Annotated[int, typer.Option(min=1, help="So many clips.")] = 20,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each motion.")] = 60,
    size: Annotated[int, typer.Option(min=32, help="Side of the square pictures, pixels.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    fps: Annotated[
        Fraction | None, typer.Option(parser=parse_rate, metavar="RATE", help="Frames a second; 25 by default.")
    ] = None,
    views: Annotated[int, typer.Option(min=1, help="Sides from which the source is shown.")] = 8,
    camera: Annotated[Literal["static", "moving", "both"], typer.Option(help="Whether the camera moves.")] = "both",
    extras: Annotated[
        str, typer.Option("--with", help="Of cross, views, clothes, with commas; `none` for the person alone.")
    ] = "cross,views,clothes",
    kinds: Annotated[
        str, typer.Option(help="Kinds of motion, with commas: walk, turn, jump, dance, spline.")
    ] = "walk,turn,jump,dance,spline",
    motion: Annotated[
        list[Path] | None, typer.Option("--motion", help="Motion file to perform; may be given more than once.")
    ] = None,
    backgrounds: Annotated[Path | None, typer.Option(help="Folder of pictures to stand before.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; by default one a core.")] = None,
    video: Annotated[bool, typer.Option("--video", help="Also write a film of each rendition.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object about the result.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="More of the log, and tracebacks.")] = False,
) -> None:
    """Make a data set of people that never lived: pictures, and all that is true about them."""
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.cli.progress import open_progress
        from retarget_cli.workflows.synth import SynthOptions, synthesize

        options = SynthOptions(
            clips=clips,
            frames=frames,
            size=(size, size),
            seed=seed,
            rate=fps or Fraction(25),
            views=views,
            camera=camera,
            extras=() if extras == "none" else _words(extras),
            kinds=_words(kinds),
            motions=tuple(motion or ()),
            backgrounds=backgrounds,
            workers=workers,
            has_video=video,
        )
        with open_progress(screen) as progress:
            result = synthesize(folder, options, progress)
        rate = result.frames / result.seconds if result.frames else 0.0
        text = f"{result.folder}: {result.clips} clips, {result.made} of them new, {result.frames} frames"
        data = {
            "path": str(result.folder),
            "clips": result.clips,
            "made": result.made,
            "frames": result.frames,
            "seconds": round(result.seconds, 3),
            "fps": round(rate, 1),
        }
        screen.result(f"{text}, {rate:.0f} a second" if result.frames else text, data)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(" ", "").split(",") if word)
