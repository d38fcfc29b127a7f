"""What Ray says when something fails, and what that means for a job whose actor is gone."""

from __future__ import annotations

import re

from retarget_cli.batch.item import Fault, Outcome


def fate(error: Exception, out_of_memory: type[Exception]) -> Outcome:
    """What became of a job whose actor is gone.

    Ray tells a signal only where it sent it itself; a process that vanished without a word has most often been killed
    for want of memory, as the local engine takes it where it sees SIGKILL.
    """
    text = " ".join(str(error).split())
    if isinstance(error, out_of_memory) or re.search(r"NODE_OUT_OF_MEMORY|running low on memory", text):
        return Outcome(Fault.MEMORY, "Ray ended the worker: its machine ran out of memory")
    if re.search(r"node.{0,80}(died|dead|unreachable|terminated)|preempt", text, re.IGNORECASE):
        return Outcome(Fault.CRASH, "the machine that worked on it is gone")
    if "actor is temporarily unavailable" in text:  # Ray has not found out yet whether all of the machine is gone
        return Outcome(Fault.CRASH, "the worker can't be reached any more: its machine, or the way to it, is gone")
    if "connection error code" in text:
        return Outcome(Fault.MEMORY, "the worker vanished: out of memory, killed by somebody, or crashed")
    return Outcome(Fault.CRASH, f"the worker ended: {last_line(error)}")


def first_line(error: BaseException) -> str:
    """The first line of what an error says that is not empty: Ray's go on for pages."""
    return _lines(error)[0]


def last_line(error: BaseException) -> str:
    """The last one: Ray puts the cause there where it tells what happened elsewhere."""
    return _lines(error)[-1]


def _lines(error: BaseException) -> list[str]:
    lines = [" ".join(line.split())[:300] for line in str(error).splitlines() if line.strip()]
    return lines or [type(error).__name__]
