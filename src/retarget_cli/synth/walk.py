"""Walking and turning round, step by step."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

from retarget_cli.synth.mesh import Numbers
from retarget_cli.synth.performance import Performance
from retarget_cli.synth.pose import COLUMN, Angles, limited, pose


def walking(rng: np.random.Generator, times: Numbers) -> Performance:
    """A few steps somewhere, mostly towards the viewer or away, from a stand."""
    side = rng.choice([-1.0, 1.0])
    start = side * rng.uniform(0, 0.9)
    span = max(float(times[-1]), 1e-6)
    bend = rng.normal(0, 0.5)
    if rng.random() < 0.25:  # turns round and goes away
        bend = side * (np.pi - abs(start))
    heading = start + bend * min(1.0, span / 2) * _eased(times / (0.7 * span))
    return _steps(rng, times, heading, float(rng.uniform(0.22, 0.5)), float(rng.uniform(0.75, 1.05)))


def turning(rng: np.random.Generator, times: Numbers) -> Performance:
    """On the spot, with small steps, a part of a turn or more."""
    span = float(times[-1]) if times[-1] > 0 else 1.0
    amount = rng.choice([-1.0, 1.0]) * min(rng.uniform(2.0, 6.6), 3.2 * span)
    heading = amount * _eased((times - 0.1) / max(span - 0.3, 1e-6))
    return _steps(rng, times, heading, float(rng.uniform(0.1, 0.2)), float(rng.uniform(0.9, 1.2)))


def _steps(
    rng: np.random.Generator, times: Numbers, heading: Numbers, stride: float, pace: float
) -> Performance:
    """Poses of somebody who steps: thighs swing by `stride` radians, `pace` double steps a second."""
    values = np.repeat(pose()[None], len(times), 0)
    going = _eased(times / 0.5)
    phase = rng.choice([0.0, np.pi]) + 2 * np.pi * pace * np.maximum(times - 0.05, 0)
    style = {name: float(rng.uniform(*span)) for name, span in _STYLE.items()}
    for letter, own in (("l", phase), ("r", phase + np.pi)):
        _leg(values, letter, own, going, stride)
        swing = -np.sin(own) * stride * style["arms"]
        _set(values, f"swing_{letter}", going * swing)
        _set(values, f"bend_{letter}", 0.15 + going * (style["elbow"] + 0.25 * np.maximum(swing, 0)))
        _set(values, f"lift_{letter}", style["lift"])
    _set(values, "yaw", heading + going * 0.12 * stride * np.sin(phase))
    _set(values, "spin", -going * 0.4 * stride * np.sin(phase))
    _set(values, "sway", going * 0.06 * np.sin(phase + 0.5))
    _set(values, "lean", going * style["lean"])
    _set(values, "look", _wander(rng, times, 0.35))
    _set(values, "nod", _wander(rng, times, 0.12))
    return Performance(limited(values), np.zeros(len(times)))


_STYLE = {"arms": (0.5, 1.3), "elbow": (0.05, 0.9), "lift": (0.22, 0.42), "lean": (0.0, 0.12)}


def _leg(values: Angles, letter: str, phase: Numbers, going: Numbers, stride: float) -> None:
    """One leg: ahead at sin = 1; while it swings forwards (cos > 0) the knee bends and the foot is off the floor."""
    swing = np.clip(np.cos(phase), 0, 1)
    lifted = swing**1.5 * (0.55 + 0.9 * stride)
    step = stride * np.sin(phase) + 0.35 * lifted
    # The knee gives a little where the foot takes the weight, just after it is farthest ahead.
    give = 0.12 * np.clip(np.cos(phase - 2.2), 0, 1) ** 2
    _set(values, f"step_{letter}", going * (step + 0.5 * give))
    _set(values, f"knee_{letter}", going * (lifted + give + 0.06))
    _set(values, f"toe_{letter}", going * (0.35 * np.clip(np.cos(phase + 0.7), 0, 1) ** 2 * min(1, 2 * stride)))


def _wander(rng: np.random.Generator, times: Numbers, most: float) -> Numbers:
    """(T,): a slow random path within `most` of zero, from zero."""
    knots = np.arange(0, float(times[-1]) + 2.0, 0.9)
    marks = rng.uniform(-most, most, len(knots))
    marks[0] = 0
    return np.asarray(CubicSpline(knots, marks, bc_type="natural")(times).clip(-most, most))


def _eased(share: Numbers) -> Numbers:
    share = np.clip(share, 0, 1)
    return np.asarray(share**2 * (3 - 2 * share))


def _set(values: Angles, name: str, column: Numbers | float) -> None:
    values[:, COLUMN[name]] = column
