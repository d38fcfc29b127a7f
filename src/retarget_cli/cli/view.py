"""`retarget view`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from retarget_cli.cli import options as given
from retarget_cli.cli.angles import parse_angles, parse_elevation
from retarget_cli.cli.animate import check_pairs, default_output, options_of, perform
from retarget_cli.cli.running import running
from retarget_cli.cli.values import parse_rate, parse_time

ANGLES = "A number, a list 0,45,90, or start:stop:step (stop is left out where it is a full turn away)"


def view(
    source: given.Source = None,
    subject: given.SubjectFile = None,
    azimuth: Annotated[
        Any,
        typer.Option(
            parser=parse_angles,
            metavar="DEGREES",
            help="Where the camera stands about the person: 0 as in the photo, positive on the person's left, 180 "
            f"behind. {ANGLES}.",
        ),
    ] = "0:360:5",
    elevation: Annotated[
        Any,
        typer.Option(
            parser=parse_elevation,
            metavar="DEGREES",
            help="How high it stands: positive looks down, negative up. As --azimuth; of two lists the shorter is "
            "spread over the longer.",
        ),
    ] = "0",
    driving: Annotated[
        Path | None,
        typer.Option(
            "--driving",
            "-d",
            help=f"{given.CLIP}: the person moves like it while the camera walks; the views are spread over it.",
        ),
    ] = None,
    freeze: Annotated[
        Fraction | None,
        typer.Option(parser=parse_time, metavar="TIME", help="Stop the driving clip here, and show that pose instead."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help=f"{given.KINDS}; {given.SINGLE} where there is one view; {given.PLACES}. "
            "Default: {source}_{driving}.mp4, .mov when transparent; without a clip {driving} is `view`.",
        ),
    ] = None,
    backend: given.BackendName = None,
    setting: given.Settings = None,
    motion: given.PathName = "relative",
    framing: given.FramingName = "fit",
    smooth: given.Smooth = 0.35,
    missing: given.MissingName = "hold",
    person: given.Person = "largest",
    source_person: given.SourcePerson = "largest",
    background: given.BackgroundName = "source",
    size: given.Size = None,
    fps: Annotated[
        Fraction | None,
        typer.Option(parser=parse_rate, metavar="RATE", help="Views a second; default 25, or the clip's exact times."),
    ] = None,
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
    device: given.Device = "auto",
    body: given.BodyName = "anny",
    no_cache: given.NoCache = False,
    quiet: given.Quiet = False,
    as_json: given.AsJson = False,
    debug: given.Debug = False,
) -> None:
    """Show the person in the source from other sides: standing still, or moving like a driving clip."""
    values = dict(locals())
    check_pairs(values)
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.body.viewpoint import Orbit
        from retarget_cli.workflows import view as workflow

        name = output or default_output(background, compare)
        perform(
            screen, options_of(values, output=name, orbit=Orbit(azimuth, elevation)), workflow.view, values["no_cache"]
        )
