"""Motion as named channels over time, free of any toy: two toys of a species can perform the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from retarget_cli.core.motion import FloatArray
from retarget_cli.synth.mesh import Numbers


@dataclass(frozen=True, slots=True)
class Channel:
    """How one channel goes.

    Attributes:
        kind: `beat` swings between -1 and 1 with the clip's tempo, `wander` wanders smoothly between -1 and 1, `lid` is
            0 and now and then 1 for a moment, `talk` is 0 between words and up to 1 in them, `roll` grows by 2 pi a
            beat, `hold` stays anywhere between -1 and 1, `side` is -1 or 1.
        phase: of a beat, in turns.
        pace: beats for one of the tempo's; of `wander`, how many changes of mind a second.
        least: a beat never falls below.
        follows: share of wandering that is mixed into a beat.
    """

    kind: str
    phase: float = 0.0
    pace: float = 1.0
    least: float = -1.0
    follows: float = 0.25


@dataclass(frozen=True, slots=True)
class Performance:
    """A motion: values (T, C) of named channels."""

    names: tuple[str, ...]
    values: FloatArray

    def channel(self, name: str) -> FloatArray:
        """(T,)."""
        return self.values[:, self.names.index(name)]

    def row(self, frame: int) -> Performance:
        """One frame alone."""
        return Performance(self.names, self.values[frame : frame + 1])


def beat(phase: float = 0.0, pace: float = 1.0, least: float = -1.0, follows: float = 0.25) -> Channel:
    """A swing."""
    return Channel("beat", phase, pace, least, follows)


def wander(pace: float = 1.0) -> Channel:
    """A smooth random way."""
    return Channel("wander", pace=pace)


def perform(
    channels: Mapping[str, Channel],
    frames: int,
    rate: float,
    rng: np.random.Generator,
    like: Performance | None = None,
) -> Performance:
    """Draw a motion of so many frames; what holds still in a clip is as in `like`, where that is given."""
    times = np.arange(frames) / rate
    tempo = float(rng.uniform(0.55, 1.5))
    # The swing slows down and hurries a little.
    hurry = 0.12 * _wandering(rng, times, 0.5)
    clock = tempo * times + hurry + rng.random()
    vigour = float(rng.uniform(0.55, 1.0)) * (1 + 0.2 * _wandering(rng, times, 0.4))
    columns = [_column(channel, clock, vigour, times, rng) for channel in channels.values()]
    if like is not None:
        for place, (name, channel) in enumerate(channels.items()):
            if channel.kind in {"hold", "side"}:
                columns[place] = np.full(frames, like.channel(name)[0])
    return Performance(tuple(channels), np.stack(columns, 1).astype(np.float32))


def _column(channel: Channel, clock: Numbers, vigour: Numbers, times: Numbers, rng: np.random.Generator) -> Numbers:
    if channel.kind == "roll":
        return np.asarray(2 * np.pi * channel.pace * clock)
    if channel.kind == "hold":
        return np.full(len(times), rng.uniform(-1, 1))
    if channel.kind == "side":
        return np.full(len(times), rng.choice([-1.0, 1.0]))
    if channel.kind == "lid":
        return _lids(rng, times)
    if channel.kind == "talk":
        return _talk(rng, times)
    wandering = _wandering(rng, times, channel.pace if channel.kind == "wander" else 1.0)
    if channel.kind == "wander":
        return wandering
    swing = vigour * np.sin(2 * np.pi * (channel.pace * clock + channel.phase))
    mixed = (1 - channel.follows) * swing + channel.follows * wandering
    return np.maximum(mixed, channel.least).clip(-1, 1)


def _wandering(rng: np.random.Generator, times: Numbers, pace: float) -> Numbers:
    """(T,) between -1 and 1, with `pace` knots a second."""
    seconds = float(times[-1]) + 1
    knots = max(4, round(seconds * pace) + 2)
    found = CubicSpline(np.linspace(0, seconds, knots), rng.uniform(-1, 1, knots))(times)
    return np.asarray(np.tanh(1.2 * found) / np.tanh(1.2)).clip(-1, 1)


def _lids(rng: np.random.Generator, times: Numbers) -> Numbers:
    shut = np.zeros_like(times)
    at = float(rng.uniform(0.1, 1.4))
    while at < times[-1] + 0.3:
        shut = np.maximum(shut, np.exp(-(((times - at) / 0.07) ** 4)))
        at += float(rng.choice([0.3, 1.0])) * float(rng.uniform(0.9, 2.6))
    return shut


def _talk(rng: np.random.Generator, times: Numbers) -> Numbers:
    syllables = 0.5 + 0.5 * _wandering(rng, times, float(rng.uniform(5, 8)))
    speaks = (1.6 * _wandering(rng, times, 1.2) + 0.8).clip(0, 1)
    return np.asarray(syllables * speaks)
