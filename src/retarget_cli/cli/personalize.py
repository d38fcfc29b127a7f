"""`retarget personalize`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from retarget_cli.cli.running import running
from retarget_cli.cli.values import parse_person, parse_setting

if TYPE_CHECKING:
    from retarget_cli.workflows.personalize import PersonalizeOptions, PersonalizeResult

MANY = "may be given several times"


def personalize(
    source: Annotated[
        list[str],
        typer.Option("--source", "-s", help=f"1 to 8 photos of one person (globs, a folder), or a clip; {MANY}."),
    ],
    more: Annotated[list[str] | None, typer.Argument(metavar="[PHOTO]...", help="Further photos.")] = None,
    driving: Annotated[
        list[Path] | None,
        typer.Option(
            "--driving",
            "-d",
            help="Clip that will be followed, to learn from it too (methods led by pixels); of pose2video clips, "
            f"motion files or folders of others, whose postures are looked at; {MANY}.",
        ),
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", help="The subject file; may hold {source} {backend} {index}.")
    ] = "{source}.subject",
    backend: Annotated[str, typer.Option(help="Method; it must be one that learns.")] = "liquid-warp",
    setting: Annotated[
        list[Any] | None,
        typer.Option("--set", parser=parse_setting, metavar="NAME=VALUE", help=f"Option of the backend; {MANY}."),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="In all, those before a stop included.")] = 100,
    rate: Annotated[float | None, typer.Option(help="Learning rate; default the method's own (0.0001).")] = None,
    decay: Annotated[
        bool, typer.Option("--decay", help="After a quarter of the steps the rate sinks, to a tenth in the end.")
    ] = False,
    size: Annotated[
        str | None,
        typer.Option(help="Of the kept views: longer side or WIDTHxHEIGHT; default the source's, 1024 at most."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the order in which views are learned.")] = 0,
    variations: Annotated[
        int, typer.Option(min=0, help="Of every view, moved and scaled; 0: the views alone, as published.")
    ] = 12,
    strength: Annotated[
        float | None, typer.Option(help="How far to go from the base weights to the last step's; default 0.5.")
    ] = None,
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"], typer.Option(help="Of the networks; auto: bf16 on CUDA, else fp32.")
    ] = "auto",
    full: Annotated[
        bool, typer.Option("--full", help="Keep the weights in full precision: the file is twice as large.")
    ] = False,
    save_every: Annotated[
        int, typer.Option(min=0, help="Steps from one saving to the next; 0: only when it is stopped.")
    ] = 50,
    preview: Annotated[Path | None, typer.Option(help="Folder for pictures of the way: from source to truth.")] = None,
    preview_every: Annotated[int, typer.Option(min=1, help="Steps from one picture to the next.")] = 10,
    source_person: Annotated[
        Any, typer.Option(parser=parse_person, metavar="WHO", help="Who in the pictures: largest, left, right, N.")
    ] = "largest",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help="Begin anew, where an earlier run was stopped and would be gone on with.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N, mps.")] = "auto",
    body: Annotated[str, typer.Option(help="Body model: anny, or smpl (see `retarget doctor`).")] = "anny",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Do not keep or use what was perceived before.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object about the result.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="More of the log, and tracebacks.")] = False,
) -> None:
    """Tune a method's networks to one person, or to anything that moves: a file for `retarget animate --subject`.

    Stopped at any time (Ctrl-C), it goes on when the same command is given again.
    """
    values = dict(locals())
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.cli.lesson_screen import open_lesson
        from retarget_cli.perception.cache import default_cache
        from retarget_cli.workflows import personalize as workflow

        options = options_of(values)
        with open_lesson(screen) as view:
            result = workflow.personalize(options, None if no_cache else default_cache(), view, view)
        for note in result.notes:
            screen.line(f"note: {note}")
        screen.result(summary(result), as_data(result))


def options_of(values: dict[str, Any]) -> PersonalizeOptions:
    """The command line's words as the workflow's values."""
    from retarget_cli.workflows.lesson import LessonOptions
    from retarget_cli.workflows.personalize import PersonalizeOptions

    same = "output backend size source_person body preview device"
    return PersonalizeOptions(
        sources=(*values["source"], *(values["more"] or ())),
        driving=tuple(values["driving"] or ()),
        settings=tuple(values["setting"] or ()),
        lesson=LessonOptions(
            values["steps"],
            values["rate"],
            values["seed"],
            values["variations"],
            values["precision"],
            values["save_every"],
            values["preview_every"],
            values["strength"],
            values["decay"],
        ),
        is_half=not values["full"],
        may_overwrite=values["overwrite"],
        is_anew=values["restart"],
        **{name: values[name] for name in same.split()},
    )


def summary(result: PersonalizeResult) -> str:
    """One line: what was made."""
    height, width = result.size
    views = f"{result.views} view{'s' if result.views > 1 else ''}"
    if result.frames:
        views += f" and {result.frames} frame{'s' if result.frames > 1 else ''}"
    return (
        f"{result.path}: {result.backend}, {result.steps} steps on {views} of {width}x{height}, "
        f"in {result.seconds:.1f} s"
    )


def as_data(result: PersonalizeResult) -> dict[str, object]:
    """The result as JSON types."""
    return {
        "path": str(result.path),
        "backend": result.backend,
        "views": result.views,
        "frames": result.frames,
        "width": result.size[1],
        "height": result.size[0],
        "steps": result.steps,
        "resumed": result.resumed,
        "seconds": round(result.seconds, 3),
        "losses": result.losses,
        "device": result.device,
        "notes": list(result.notes),
    }
