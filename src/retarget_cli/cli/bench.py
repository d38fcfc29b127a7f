"""`retarget bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retarget_cli.cli.options import Settings
from retarget_cli.cli.running import running


def bench(
    source: Annotated[Path | None, typer.Option("--source", "-s", help="Photo; default the example's.")] = None,
    driving: Annotated[Path | None, typer.Option("--driving", "-d", help="Clip; default the example's.")] = None,
    sizes: Annotated[str, typer.Option(help="Longer sides to measure at, with commas.")] = "512",
    frames: Annotated[int | None, typer.Option(min=8, help="At most so many frames.")] = None,
    backend: Annotated[str, typer.Option(help="Method.")] = "avatar",
    settings: Settings = None,
    precision: Annotated[
        str, typer.Option(help="fp32 or bf16, of methods that have the choice; as --set precision=...")
    ] = "",
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    cold: Annotated[bool, typer.Option("--cold", help="Also time a first start, with nothing compiled yet.")] = False,
    memory: Annotated[bool, typer.Option("--memory", help="Compare peak memory of a 10 s and a 60 s clip.")] = False,
    evaluation: Annotated[
        bool, typer.Option("--eval", help="Only: speed and memory of `retarget eval`, on the driving clip.")
    ] = False,
    ceiling: Annotated[
        bool, typer.Option("--ceiling", help="Only: what the machine multiplies at most, and networks beside it.")
    ] = False,
    batch: Annotated[bool, typer.Option("--batch", help="Only: speed and memory of `retarget batch`.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks.")] = False,
) -> None:
    """Measure: milliseconds a frame of every stage, frames a second, memory."""
    with running(as_json=as_json, debug=debug) as screen:
        from retarget_cli.workflows.bench import example, measure
        from retarget_cli.workflows.bench_report import BenchOptions

        if evaluation:
            from retarget_cli.workflows.bench_evaluation import measure_evaluation

            outcome = measure_evaluation(driving or example("driving.mp4"), screen.line)
            screen.result(outcome.text(), outcome.data())
            return

        if batch:
            from retarget_cli.batch.bench import measure_batch

            told = measure_batch(source or example("source.png"), driving or example("driving.mp4"), screen.line)
            screen.result(told.text(), told.data())
            return

        try:
            sides = tuple(int(side) for side in sizes.split(","))
        except ValueError as error:
            raise typer.BadParameter(f"--sizes {sizes}: expected numbers with commas, as 256,512") from error
        chosen = tuple(settings or ()) + ((("precision", precision),) if precision else ())
        options = BenchOptions(source, driving, sides, frames, backend, device, cold, memory, chosen)

        if ceiling:
            from retarget_cli.workflows.bench_networks import measure_networks

            found = measure_networks(source or example("source.png"), driving or example("driving.mp4"), options)
            screen.result(found.text(), found.data())
            return

        report = measure(options, screen.line)
        screen.result(report.text(), report.data())
