"""Jumping, on the spot: with closed legs, or legs and arms spread."""

from __future__ import annotations

import numpy as np

from retarget_cli.synth.mesh import Numbers
from retarget_cli.synth.performance import Performance
from retarget_cli.synth.pose import COLUMN, limited, pose

GRAVITY = 9.81
# Heights are told as shares of the stature; this person falls as somebody of usual stature does.
_STATURE = 1.7


def jumping(rng: np.random.Generator, times: Numbers) -> Performance:
    """Crouch, leap, land, again and again."""
    crouch, flight = float(rng.uniform(0.34, 0.5)), float(rng.uniform(0.26, 0.46))
    period = 2 * crouch + flight
    first = float(rng.uniform(0.05, 0.35))
    is_star = rng.random() < 0.5
    at = np.where(times > first, (times - first) % period, 0)
    deep = float(rng.uniform(0.7, 1.2))
    values = np.repeat(pose()[None], len(times), 0)
    bent = deep * (_bump(at, 0, crouch) + 0.75 * _bump(at, crouch + flight, period))
    air = _bump(at, crouch * 0.85, crouch + flight * 1.05)
    arms = _bump(at, crouch * 0.6, crouch + flight * 1.3)
    high = float(rng.uniform(0.8, 2.2))
    _set(values, "step", 0.5 * bent * 1.7 + (0.1 if is_star else 0.3) * air)
    _set(values, "knee", bent * 1.7 + (0.05 if is_star else 0.5) * air)
    _set(values, "toe", 0.6 * air)
    _set(values, "spread", 0.05 + 0.05 * bent + (0.4 if is_star else 0.0) * air)
    _set(values, "lift", 0.3 + high * arms)
    _set(values, "swing", -0.3 * bent + (0.0 if is_star else 0.7) * arms)
    _set(values, "bend", 0.25 + 0.5 * bent)
    values[:, COLUMN["lean"]] = 0.3 * bent
    values[:, COLUMN["nod"]] = -0.15 * bent
    values[:, COLUMN["yaw"]] = float(rng.normal(0, 0.25)) + _quarter_turns(rng, times, first, period, crouch, flight)
    since = np.clip(at - crouch, 0, flight)
    lift = 0.5 * GRAVITY * since * (flight - since) / _STATURE
    return Performance(limited(values), lift)


def _quarter_turns(
    rng: np.random.Generator, times: Numbers, first: float, period: float, crouch: float, flight: float
) -> Numbers:
    """(T,) radians: now and then somebody turns in the air."""
    amount = float(rng.choice([0.0, 0.0, np.pi / 2, -np.pi / 2]))
    done = np.floor(np.maximum(times - first, 0) / period)
    share = np.clip(((times - first) % period - crouch) / flight, 0, 1) * (times > first)
    return np.asarray(amount * (done + share))


def _bump(at: Numbers, start: float, end: float) -> Numbers:
    """(T,): rises from 0 to 1 and falls back between two times."""
    share = np.clip((at - start) / (end - start), 0, 1)
    return np.asarray(np.sin(np.pi * share) ** 2)


def _set(values: Numbers, name: str, column: Numbers) -> None:
    for letter in "lr":
        values[:, COLUMN[f"{name}_{letter}"]] = column
