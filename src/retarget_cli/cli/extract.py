"""`retarget extract`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from retarget_cli.cli.running import running
from retarget_cli.cli.values import parse_person, parse_time


def extract(
    driving: Annotated[Path, typer.Argument(help="Clip, GIF/WebP or folder of frames.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Motion file to write; by default the clip's name with .motion, here."),
    ] = None,
    person: Annotated[
        Any,
        typer.Option(parser=parse_person, metavar="WHO", help="Who in the clip: largest, left, right, center, N."),
    ] = "largest",
    start: Annotated[
        Fraction | None, typer.Option(parser=parse_time, metavar="TIME", help="From here: seconds or m:ss.")
    ] = None,
    end: Annotated[Fraction | None, typer.Option(parser=parse_time, metavar="TIME", help="... to here.")] = None,
    max_frames: Annotated[int | None, typer.Option(min=1, help="At most so many frames.")] = None,
    body: Annotated[str, typer.Option(help="Body model: anny or smpl.")] = "anny",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Do not keep or use what was perceived before.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object about the result.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="More of the log, and tracebacks.")] = False,
) -> None:
    """Perceive the motion of a clip once and save it; `animate -d FILE` then needs no clip."""
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.cli.progress import open_progress
        from retarget_cli.perception.cache import default_cache
        from retarget_cli.workflows.driving import Excerpt
        from retarget_cli.workflows.extract import extract_motion

        with open_progress(screen) as progress:
            result = extract_motion(
                driving,
                output or Path(driving.name).with_suffix(".motion"),
                choice=person,
                excerpt=Excerpt(start, end, max_frames),
                body=body,
                may_overwrite=overwrite,
                cache=None if no_cache else default_cache(),
                progress=progress,
            )
        for note in result.notes:
            screen.line(f"note: {note}")
        text = f"{result.path}: {result.frames} frames, a person in {result.present} of them"
        data = {
            "path": str(result.path),
            "frames": result.frames,
            "present": result.present,
            "fps": str(result.rate),
            "seconds": round(result.seconds, 3),
            "notes": list(result.notes),
        }
        screen.result(text, data)
