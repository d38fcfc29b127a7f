"""Motions that are looked at from all sides: a pose that is held, a moment that is frozen, a camera that walks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from retarget_cli.body.model import Body
from retarget_cli.body.placement import Placer
from retarget_cli.body.viewpoint import Centre, Orbit, centre_of, seen_from
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import Motion, join
from retarget_cli.core.subject import Subject
from retarget_cli.perception.missing import clock
from retarget_cli.perception.motion_reader import WINDOW
from retarget_cli.workflows.driving import Driving

# Frames a second of what has no clip to take them from.
RATE = Fraction(25)


def held(subject: Subject, orbit: Orbit, rate: Fraction) -> Driving:
    """The photo's own pose in its own place, as often as there are viewpoints, in place of a driving clip."""
    view = subject.primary
    shot = Motion(
        subject.size,
        (Fraction(0),),
        np.ones(1, bool),
        view.pose[None],
        view.world[None],
        subject.body,
        view.theta[None],
        view.camera[None],
        subject.betas,
    )
    windows = split(repeated(shot, orbit.count, rate))
    return Driving(windows, subject.size, rate, None, orbit.count, None, lambda: Fraction(0), True, tuple)


def repeated(shot: Motion, count: int, rate: Fraction) -> Motion:
    """One frame of a motion, `count` times, from 0 seconds on."""
    rows = np.zeros(count, np.int64)
    return replace(
        shot,
        times=tuple(i / rate for i in range(count)),
        present=shot.present[rows],
        pose=shot.pose[rows],
        world=shot.world[rows],
        theta=None if shot.theta is None else shot.theta[rows],
        camera=None if shot.camera is None else shot.camera[rows],
    )


def stopped(driving: Driving, orbit: Orbit, rate: Fraction) -> Driving:
    """What is left of a driving clip whose time stands still: its person, without rate and sound."""
    return replace(
        driving, rate=rate, time_base=None, frame_count=orbit.count, audio=None, start=lambda: Fraction(0)
    )


def circled(
    windows: Iterable[Motion], orbit: Orbit, placer: Placer, body: Body, centre: Centre | None = None
) -> Iterator[Motion]:
    """A driving motion as a camera sees it that walks along the orbit while the person moves.

    The camera circles the place of the first frame that shows somebody, which stands where the source stands.
    Several viewpoints are spread over the whole motion, which is therefore waited for: a kilobyte a frame.
    """
    count = 1
    if orbit.count > 1:
        whole = join(list(windows))
        windows, count = split(whole), len(whole)
    turns = orbit.turns(count)
    start = 0
    for window in windows:
        if centre is None and window.present.any():
            row = int(np.argmax(window.present))
            placer.refer_to(window, row)
            centre = centre_of(window, row, row, body)
        here = turns[start : start + len(window)] if count > 1 else turns.expand(len(window), 3, 3)
        # Until somebody is seen the source stands at home, and only the pose counts.
        yield seen_from(window, here, centre or Centre(0, 0, 1), body)
        start += len(window)


def frozen(
    windows: Iterable[Motion], moment: Fraction, driving: Driving, name: str, placer: Placer, body: Body
) -> tuple[Motion, Centre]:
    """The frame that a driving motion shows at a moment, and what a camera circles there.

    Who is in the air stays there: the ground is that of the first frame that shows somebody, as is the place where
    the source stands.

    Args:
        windows: the motion, without gaps.
        moment: in the clip's time, seconds.
        name: of the clip, for messages.

    Raises:
        InputError: the clip ends before.
    """
    first: Motion | None = None
    shown: Motion | None = None
    for window in windows:
        if first is None and window.present.any():
            row = int(np.argmax(window.present))
            first = window.rows(row, row + 1)
            placer.refer_to(first, 0)
        past = sum(time <= moment for time in window.times)
        if past or shown is None:
            shown = window.rows(max(past, 1) - 1, max(past, 1))
        if past < len(window):
            break
    else:
        if shown is None or moment >= shown.times[0] + 1 / driving.rate:
            ends = "" if shown is None else f" ends at {clock(shown.times[0] + 1 / driving.rate)}"
            raise InputError(f"--freeze {float(moment):g}: {name}{ends}", "name a moment within the clip, in seconds")
    return shown, centre_of(join([first or shown, shown]), 1, 0, body)


def split(motion: Motion) -> Iterator[Motion]:
    """A motion in parts of `WINDOW` frames."""
    for start in range(0, len(motion), WINDOW):
        yield motion.rows(start, start + WINDOW)
