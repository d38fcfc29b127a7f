"""The application: commands, one file each. Heavy modules are imported by the commands when they run."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from retarget_cli.cli.animate import animate
from retarget_cli.cli.backends import backends
from retarget_cli.cli.batch import batch
from retarget_cli.cli.bench import bench
from retarget_cli.cli.cache import cache
from retarget_cli.cli.doctor import doctor
from retarget_cli.cli.dress import dress
from retarget_cli.cli.eval import evaluation
from retarget_cli.cli.extract import extract
from retarget_cli.cli.personalize import personalize
from retarget_cli.cli.synth import synth
from retarget_cli.cli.train import train
from retarget_cli.cli.view import view
from retarget_cli.cli.weights import weights
from retarget_cli.core.environment import prepare_environment
from retarget_cli.core.version import installed_version

HELP = """Human motion retargeting: photos of one person and a video of another in, a video of the first person
moving like the second out.

    retarget animate --source me.jpg --driving dance.mp4 --output out.mp4
"""

app = typer.Typer(
    name="retarget",
    help=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"retarget {installed_version() or 'unknown (not installed)'}")
        raise typer.Exit


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the program itself."""
    prepare_environment(os.environ)


app.command()(animate)
app.command()(view)
app.command()(dress)
app.command()(personalize)
app.command()(extract)
app.command()(synth)
app.command()(train)
app.command()(backends)
app.command()(doctor)
app.command()(bench)
app.add_typer(batch, name="batch")
app.add_typer(evaluation, name="eval")
app.add_typer(cache, name="cache")
app.add_typer(weights, name="weights")


def main() -> None:
    """Entry point of the `retarget` command."""
    app()
