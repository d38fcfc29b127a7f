"""Options that several commands have, said once.

A command gives the default; what it must not be without stands here.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from retarget_cli.cli.values import parse_person, parse_rate, parse_setting, parse_time

MANY = "may be given several times"
SINGLE = "png or jpg"
KINDS = "mp4, mov, mkv, webm, gif, webp, or a folder for PNGs"
PLACES = "may hold {source} {driving} {index} {backend}"
CLIP = "Clip, GIF/WebP, folder of frames, or motion file"

Source = Annotated[
    list[str] | None,
    typer.Option("--source", "-s", "--source_image", help=f"Photo, glob, folder or clip of one person; {MANY}."),
]
SubjectFile = Annotated[
    Path | None, typer.Option(help="Instead of --source: a file that `retarget personalize` wrote.")
]
BackendName = Annotated[
    str | None, typer.Option(help="Method; see `retarget backends`. Default: avatar, or the --subject's.")
]
Settings = Annotated[
    list[Any] | None,
    typer.Option("--set", parser=parse_setting, metavar="NAME=VALUE", help=f"Option of the backend; {MANY}."),
]
PathName = Annotated[
    Literal["relative", "absolute"],
    typer.Option(help="Start where the source stands, or stand where the driving person does."),
]
FramingName = Annotated[
    Literal["fit", "follow", "exact"],
    typer.Option(help="Keep the person inside the picture, follow with the frame, or let the person walk out."),
]
Smooth = Annotated[float, typer.Option(min=0, max=1, help="Against jitter: 0 none, 1 strongest.")]
MissingName = Annotated[Literal["hold", "skip", "fail"], typer.Option(help="Driving frames without a person.")]
Person = Annotated[
    Any, typer.Option(parser=parse_person, metavar="WHO", help="Who in the clip: largest, left, right, center, N.")
]
SourcePerson = Annotated[
    Any, typer.Option(parser=parse_person, metavar="WHO", help="Who in the source picture; as --person.")
]
BackgroundName = Annotated[
    str, typer.Option(help="source, driving, transparent, #rrggbb, or a picture's or clip's path.")
]
Size = Annotated[
    str | None, typer.Option(help="Longer side (720) or WIDTHxHEIGHT; default the source's, 1024 at most.")
]
Crop = Annotated[
    str,
    typer.Option(
        metavar="CROP",
        help="Part of the source picture that moves, of methods led by pixels: none, auto, or X,Y,WIDTHxHEIGHT.",
    ),
]
DrivingCrop = Annotated[str, typer.Option(metavar="CROP", help="Part of the driving clip that leads; as --crop.")]
Rate = Annotated[
    Fraction | None,
    typer.Option(
        parser=parse_rate, metavar="RATE", help="30, 29.97 or 30000/1001; default the driving clip's exact times."
    ),
]
Start = Annotated[
    Fraction | None,
    typer.Option(parser=parse_time, metavar="TIME", help="Use the driving clip from here: seconds or m:ss."),
]
End = Annotated[Fraction | None, typer.Option(parser=parse_time, metavar="TIME", help="... to here.")]
MaxFrames = Annotated[int | None, typer.Option(min=1, help="At most so many frames.")]
NoAudio = Annotated[bool, typer.Option("--no-audio", help="Leave the driving clip's sound out.")]
Audio = Annotated[Path | None, typer.Option(help="Sound from this file instead.")]
CodecName = Annotated[str | None, typer.Option(help="h264, h265, av1, vp9, prores, ffv1, h264_nvenc ...")]
Crf = Annotated[int | None, typer.Option(min=0, max=63, help="Quality; lower is better.")]
Compare = Annotated[bool, typer.Option("--compare", help="Source, driving and result side by side.")]
DebugVolume = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="What a volumetric method knows of the source: slices (PNG) and turned (GIF)."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Work in closed segments, and go on where the same command was stopped.")
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N, mps.")]
BodyName = Annotated[str, typer.Option(help="Body model: anny, or smpl (see `retarget doctor`).")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Do not keep or use what was perceived before.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object about the result.")]
Debug = Annotated[bool, typer.Option("--debug", help="More of the log, and tracebacks.")]
