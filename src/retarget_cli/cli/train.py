"""`retarget train`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from retarget_cli.cli.running import running
from retarget_cli.cli.values import parse_setting

if TYPE_CHECKING:
    from retarget_cli.workflows.train import TrainResult
    from retarget_cli.workflows.train_options import TrainOptions


def train(
    backend: Annotated[str, typer.Argument(help="Method; it must be one that learns.")],
    data: Annotated[
        list[Path] | None,
        typer.Option("--data", help="Folder of clips in any known layout, or of `retarget synth`; may be repeated."),
    ] = None,
    driving: Annotated[
        list[Path] | None,
        typer.Option("--driving", "-d", help="Clip, motion file or folder of others, for their postures (pose2video)."),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the run.")] = Path("run"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    steps: Annotated[int, typer.Option(min=1, help="In all, those before a resume included.")] = 20000,
    batch: Annotated[int, typer.Option(min=1, help="Examples of a batch, in each process.")] = 4,
    size: Annotated[int, typer.Option(help="Side of the pictures, pixels; a multiple of 8.")] = 256,
    sources: Annotated[int, typer.Option(min=1, max=8, help="Source views of an example, at most.")] = 4,
    rate: Annotated[float | None, typer.Option(help="Learning rate; default the method's own.")] = None,
    decay: Annotated[
        bool, typer.Option("--decay", help="After a quarter of the steps the rate sinks, to a tenth in the end.")
    ] = False,
    clip: Annotated[float, typer.Option(min=0, help="Largest norm of a gradient; 0: any.")] = 0.0,
    ema: Annotated[
        float, typer.Option(help="Decay of the weights' running mean, which is what is kept; 0: none.")
    ] = 0.999,
    accumulate: Annotated[int, typer.Option(min=1, help="Batches of one step.")] = 1,
    precision: Annotated[Literal["fp32", "bf16", "fp16"], typer.Option(help="Of the networks.")] = "fp32",
    synth: Annotated[int, typer.Option(min=0, help="Draw so many synthetic clips for this training.")] = 0,
    init: Annotated[Path | None, typer.Option(help="Weights to begin with.")] = None,
    setting: Annotated[
        list[Any] | None,
        typer.Option("--set", parser=parse_setting, metavar="NAME=VALUE", help="Option of the method; repeatable."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    save_every: Annotated[int, typer.Option(min=0, help="Steps between checkpoints; 0: only at the end.")] = 500,
    sample_every: Annotated[int, typer.Option(min=0, help="Steps between sample pictures; 0: only at the end.")] = 500,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads and processes; by default one a core.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N, mps.")] = "auto",
    weights: Annotated[
        Path | None, typer.Option(help="Folder with the weights that losses need (retarget weights list).")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object about the result.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="More of the log, and tracebacks.")] = False,
) -> None:
    """Train a method's networks on many people; Ctrl-C saves, --resume goes on."""
    values = dict(locals())
    # Of many processes the first one speaks; errors are said by each.
    is_first = os.environ.get("RANK", "0") == "0"
    with running(quiet=quiet or not is_first, as_json=as_json and is_first, debug=debug) as screen:
        from retarget_cli.cli.train_screen import open_training
        from retarget_cli.perception.cache import default_cache
        from retarget_cli.workflows.train import train as run

        if weights is not None:
            # Losses look for their weights where the whole program does.
            os.environ["RETARGET_WEIGHTS"] = str(weights)
        options = options_of(values)
        with open_training(screen) as view:
            result = run(options, default_cache(), view, view)
        for note in result.notes:
            screen.line(f"note: {note}")
        screen.result(summary(result), as_data(result))


def options_of(values: dict[str, Any]) -> TrainOptions:
    """The command line's words as the workflow's values."""
    from retarget_cli.training.draw import DrawOptions
    from retarget_cli.training.loop import FitOptions
    from retarget_cli.workflows.train_options import TrainOptions

    fit = FitOptions(
        values["steps"], values["accumulate"], values["precision"], values["ema"], values["clip"], values["decay"]
    )
    draw = DrawOptions(values["size"], values["batch"], values["sources"])
    same = "backend output seed rate save_every sample_every workers device"
    return TrainOptions(
        data=tuple(values["data"] or ()),
        driving=tuple(values["driving"] or ()),
        fit=fit,
        draw=draw,
        settings=dict(values["setting"] or ()),
        drawn=values["synth"],
        initial=values["init"],
        may_resume=values["resume"],
        **{name: values[name] for name in same.split()},
    )


def summary(result: TrainResult) -> str:
    """One line: what was made."""
    done = result.steps - result.resumed
    return (
        f"{result.weights}: {result.steps} steps, {done} of them now in {result.seconds:.0f} s, "
        f"on {result.pictures} pictures in {result.albums} albums"
    )


def as_data(result: TrainResult) -> dict[str, object]:
    """The result as JSON types."""
    return {
        "path": str(result.folder),
        "weights": str(result.weights),
        "steps": result.steps,
        "resumed": result.resumed,
        "seconds": round(result.seconds, 3),
        "albums": result.albums,
        "pictures": result.pictures,
        "losses": result.losses,
        "device": result.device,
        "notes": list(result.notes),
    }
