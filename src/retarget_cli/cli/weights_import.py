"""`retarget weights import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retarget_cli.cli.running import running


def import_checkpoint(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="A released checkpoint: .pth, .tar, .pt or .safetensors.")
    ],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Of the new file; default: PATH's.")] = "",
    folder: Annotated[
        Path | None, typer.Option("--to", metavar="FOLDER", help="Default: the first that is searched for weights.")
    ] = None,
    form: Annotated[
        str, typer.Option("--as", metavar="FORM", help="Which form it is of, where several look alike.")
    ] = "",
    resolution: Annotated[
        int | None,
        typer.Option(
            "--resolution",
            metavar="PIXELS",
            help="That it was trained with, where nothing tells; default: what its name ends in, or the usual.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of that name.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks.")] = False,
) -> None:
    """Recognise the checkpoint of another program, and convert it for a backend. Nothing in it is executed."""
    with running(quiet=quiet, as_json=as_json, debug=debug) as screen:
        from retarget_cli.workflows.import_weights import import_weights

        done = import_weights(path, name, folder, form, overwrite, resolution)
        use = done.form.use or f"--backend {done.label.backend} --set weights={done.name}"
        design = ", ".join(f"{key} {value}" for key, value in done.label.design.items())
        notes = "".join(f"note: {note}\n" for note in done.label.notes[1:])
        text = (
            f"{path}: {done.form.title}, {done.tensors} tensors ({design})\n"
            f"{done.path}\n{notes}licence: {done.label.license}\nuse: {use}"
        )
        label = done.label
        data = {
            "path": str(done.path),
            "form": done.form.name,
            "backend": label.backend,
            "design": dict(label.design),
            "notes": list(label.notes),
            "tensors": done.tensors,
            "license": label.license,
            "origin": label.others["origin"],
            "imported_sha256": label.others["imported_sha256"],
            "use": use,
        }
        screen.result(text, data)
