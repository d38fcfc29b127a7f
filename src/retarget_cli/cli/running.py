"""Around every command: the screen, signals, and errors turned into lines and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from retarget_cli.cli.screen import Screen, open_screen
from retarget_cli.cli.signals import Signals
from retarget_cli.core.errors import Interrupted, RetargetError

UNEXPECTED = 1


@contextmanager
def running(*, quiet: bool = False, as_json: bool = False, debug: bool = False) -> Iterator[Screen]:
    """One command's work. Whatever ends it early becomes one clear line and an exit code (see `core.errors`)."""
    with Signals() as signals, open_screen(quiet=quiet, as_json=as_json, debug=debug) as screen:
        try:
            yield screen
        except RetargetError as error:
            screen.error(error.message, error.hint, error.exit_code, error if debug else None)
            raise typer.Exit(error.exit_code) from error
        except Interrupted as error:
            screen.error(f"interrupted; {error.message}", error.hint, signals.exit_code)
            raise typer.Exit(signals.exit_code) from error
        except KeyboardInterrupt as error:
            screen.error("interrupted; no unfinished file was left behind", "", signals.exit_code)
            raise typer.Exit(signals.exit_code) from error
        except BrokenPipeError as error:
            # Whoever read our output has gone; the interpreter must not try to flush it once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(UNEXPECTED) from error
        except MemoryError as error:
            screen.error("out of memory", "use a smaller --size, or close other programs", UNEXPECTED)
            raise typer.Exit(UNEXPECTED) from error
        except Exception as error:
            if isinstance(error, typer.Exit | typer.BadParameter | typer.Abort):
                raise
            # A fault of ours. Without --debug a traceback would bury the one line that helps.
            message = f"unexpected {type(error).__name__}: {' '.join(str(error).split())}"
            hint = "report it with the traceback above" if debug else "run again with --debug for the traceback"
            screen.error(message, hint, UNEXPECTED, error if debug else None)
            raise typer.Exit(UNEXPECTED) from error
