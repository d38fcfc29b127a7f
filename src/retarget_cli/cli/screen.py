"""Where text goes: results to stdout, everything for people to stderr."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


class Screen:
    """The terminal, or what stands for it.

    Args:
        stream: for people.
        is_quiet: nothing but errors.
        is_json: stdout takes one JSON object and nothing else.
        is_debug: more of the log, and tracebacks.
    """

    def __init__(self, stream: TextIO, is_quiet: bool, is_json: bool, is_debug: bool) -> None:
        self.stream = stream
        self.is_quiet, self.is_json, self.is_debug = is_quiet, is_json, is_debug
        self._console: Console | None = None

    @property
    def is_terminal(self) -> bool:
        return self.stream.isatty()

    @property
    def console(self) -> Console:
        """One console for bars, notes and the log, so that they don't write over each other."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(file=self.stream)
        return self._console

    def line(self, text: str) -> None:
        """A line for people; never wrapped, for files and terminals alike."""
        if self.is_quiet:
            return
        if self.is_terminal:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            self.stream.write(text + "\n")
            self.stream.flush()

    def error(self, message: str, hint: str, code: int, cause: BaseException | None = None) -> None:
        """What went wrong and what to do; also when quiet, and also as JSON where that was asked for.

        Args:
            message, hint: a line each; the hint may be empty.
            code: what the process ends with.
            cause: its traceback is shown first.
        """
        trace = "" if cause is None else "".join(traceback.format_exception(cause))
        text = f"{trace}error: {message}\n" + (f"hint: {hint}\n" if hint else "")
        if self.is_terminal:
            self.console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
        else:
            self.stream.write(text)
            self.stream.flush()
        if self.is_json:
            told = {"error": message, "hint": hint, "exit_code": code}
            sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
            sys.stdout.flush()

    def result(self, text: str, data: Mapping[str, object]) -> None:
        """The outcome: `data` as JSON where that was asked for, else `text`."""
        if self.is_json:
            sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")
        elif not self.is_quiet:
            sys.stdout.write(text + "\n")
        sys.stdout.flush()


@contextmanager
def open_screen(*, quiet: bool = False, as_json: bool = False, debug: bool = False) -> Iterator[Screen]:
    """The screen of one command, with the log and Python's warnings led to it."""
    with _people() as stream:
        screen = Screen(stream, quiet, as_json, debug)
        with _logging(screen), warnings.catch_warnings():
            if not debug:
                warnings.simplefilter("ignore")
            yield screen


@contextmanager
def _people() -> Iterator[TextIO]:
    """stderr by a descriptor of its own: native libraries are silenced by turning descriptor 2 away."""
    try:
        is_real = sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        is_real = False
    if not is_real:
        yield sys.stderr
        return
    encoding = sys.stderr.encoding or "utf-8"
    with os.fdopen(os.dup(2), "w", buffering=1, encoding=encoding, errors="replace") as stream:
        yield stream


class _Handler(logging.Handler):
    def __init__(self, screen: Screen) -> None:
        super().__init__()
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        name = f" {record.name}:" if self._screen.is_debug else ""
        self._screen.line(f"{record.levelname.lower()}:{name} {record.getMessage()}")


@contextmanager
def _logging(screen: Screen) -> Iterator[None]:
    """Our own log to the screen; other libraries' only with --debug."""
    handler: logging.Handler = _Handler(screen)
    ours, root = logging.getLogger("retarget_cli"), logging.getLogger()
    silence = logging.NullHandler()  # without any handler Python writes warnings of others to stderr
    before = ours.level
    ours.setLevel(logging.DEBUG if screen.is_debug else logging.WARNING)
    ours.addHandler(handler)
    root.addHandler(silence)
    try:
        yield
    finally:
        root.removeHandler(silence)
        ours.removeHandler(handler)
        ours.setLevel(before)
