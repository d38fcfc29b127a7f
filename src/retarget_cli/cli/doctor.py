"""`retarget doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from retarget_cli.cli.running import running


def doctor(
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks.")] = False,
) -> None:
    """Say what is installed, what each stage runs on, what is missing and how to get it; then test it."""
    with running(as_json=as_json, debug=debug) as screen:
        from retarget_cli.workflows.doctor import examine

        report = examine(device)
        screen.result(report.text(), report.data())
        if report.faults:
            raise typer.Exit(4)
