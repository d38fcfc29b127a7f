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
    kind: Annotated[
        Literal["people", "toy"], typer.Option(help="People, or moving toys and cartoons: flat, solid, and faces.")
    ] = "people",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 0,
    fps: Annotated[
        Fraction | None, typer.Option(parser=parse_rate, metavar="RATE", help="Frames a second; 25 by default.")
    ] = None,
    views: Annotated[int, typer.Option(min=1, help="Sides from which the source is shown.")] = 8,
    camera: Annotated[Literal["static", "moving", "both"], typer.Option(help="Whether the camera moves.")] = "both",
    extras: Annotated[
        str | None,
        typer.Option("--with", help="Of cross, views, clothes, with commas; `none` for self and source alone. All."),
    ] = None,
    kinds: Annotated[
        str | None,
        typer.Option(help="Of walk, turn, jump, dance, spline; of toys: flat, solid, face; with commas. All."),
    ] = None,
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
    """Make a data set of people or toys that never were: pictures, and all that is true about them."""
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.cli.progress import open_progress

        with open_progress(screen) as progress:
            if kind == "toy":
                from retarget_cli.workflows.synth_toys import ToyOptions, synthesize_toys

                _check_toy(extras, motion)
                toys = ToyOptions(
                    clips, frames, (size, size), seed, fps or Fraction(25), views, camera, extras != "none",
                    ToyOptions().families if kinds is None else _words(kinds), backgrounds, workers, video,
                )  # fmt: skip
                result = synthesize_toys(folder, toys, progress)
            else:
                from retarget_cli.workflows.synth import SynthOptions, synthesize

                usual = SynthOptions()
                options = SynthOptions(
                    clips, frames, (size, size), seed, fps or Fraction(25), views, camera,
                    usual.extras if extras is None else () if extras == "none" else _words(extras),
                    usual.kinds if kinds is None else _words(kinds), tuple(motion or ()), backgrounds, workers, video,
                )  # fmt: skip
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


def _check_toy(extras: str | None, motion: list[Path] | None) -> None:
    """Toys have no clothes, and perform no motion of people."""
    from retarget_cli.core.errors import UsageError

    if extras is not None and extras not in {"none", "cross"}:
        raise UsageError(f"--with {extras}: toys have cross alone", "with --kind toy: --with cross, or --with none")
    if motion:
        raise UsageError("--motion: toys can't perform motions of people", "leave it out, or make people")
