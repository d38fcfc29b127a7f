"""`retarget dress`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from retarget_cli.cli import options as given
from retarget_cli.cli.animate import check_pairs, options_of, perform
from retarget_cli.cli.running import running
from retarget_cli.cli.values import parse_person


def dress(
    garment: Annotated[
        list[str],
        typer.Option(
            "--garment", "-g", help=f"Photo, glob, folder or clip of somebody who wears the clothes; {given.MANY}."
        ),
    ],
    source: given.Source = None,
    subject: given.SubjectFile = None,
    parts: Annotated[
        Literal["upper", "lower", "body", "all"],
        typer.Option(
            help="upper: what is worn on trunk and arms; lower: on legs and feet, with shoes; body: both. Bare skin "
            "keeps the source's colour. all: as body, with the skin as the reference shows it (gloves, costumes). "
            "Head and hair stay the source's."
        ),
    ] = "body",
    garment_person: Annotated[
        Any, typer.Option(parser=parse_person, metavar="WHO", help="Who in the garment's picture; as --person.")
    ] = "largest",
    driving: Annotated[
        Path | None,
        typer.Option("--driving", "-d", help=f"{given.CLIP}: move like it, in the new clothes."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help=f"{given.SINGLE}; with a driving clip {given.KINDS}; {given.PLACES}. "
            "Default: {source}_{driving}.png, or .mp4; without a clip {driving} is the garment.",
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
    fps: given.Rate = None,
    start: given.Start = None,
    end: given.End = None,
    max_frames: given.MaxFrames = None,
    no_audio: given.NoAudio = False,
    audio: given.Audio = None,
    codec: given.CodecName = None,
    crf: given.Crf = None,
    compare: given.Compare = False,
    overwrite: given.Overwrite = False,
    device: given.Device = "auto",
    body: given.BodyName = "anny",
    no_cache: given.NoCache = False,
    quiet: given.Quiet = False,
    as_json: given.AsJson = False,
    debug: given.Debug = False,
) -> None:
    """Show the person in the source in somebody else's clothes: as in the photo, or moving like a driving clip."""
    values = dict(locals())
    check_pairs(values)
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.core.parts import Parts
        from retarget_cli.workflows import dress as workflow

        more = {"garment": tuple(garment), "parts": Parts(parts), "output": output or _named(values)}
        perform(screen, options_of(values, **more), workflow.dress, no_cache)


def _named(values: dict[str, Any]) -> str:
    """The name of a result that the user did not name: of a kind that can hold what it shows."""
    is_transparent = values["background"] == "transparent" and not values["compare"]
    kind = ".png" if values["driving"] is None else ".mov" if is_transparent else ".mp4"
    return "{source}_{driving}" + kind
