"""Motion through key poses: a dance on the beat, or any plausible poses one after the other."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import PchipInterpolator

from retarget_cli.synth.mesh import Numbers
from retarget_cli.synth.performance import Performance
from retarget_cli.synth.pose import COLUMN, Angles, limited, mirrored, pose


def dancing(rng: np.random.Generator, times: Numbers) -> Performance:
    """Poses on the beat, each figure often followed by its mirror image, knees bouncing between beats."""
    beat = float(rng.uniform(0.36, 0.6))
    count = int(np.ceil(float(times[-1]) / beat)) + 2
    keys, facing = [pose(lift=0.35)], 0.0
    while len(keys) < count:
        facing = float(np.clip(0.6 * facing + rng.normal(0, 0.55), -1.6, 1.6))
        key = _figure(rng, 1.0)
        key[COLUMN["yaw"]] = facing
        keys.append(key)
        if rng.random() < 0.55:
            keys.append(mirrored(key))
            facing = -facing
    values = _through(keys[:count], np.arange(count) * beat, times)
    bounce = np.sin(np.pi * np.clip(times / beat, 0, None)) ** 2 * np.clip(times / beat, 0, 1)
    for letter in "lr":
        values[:, COLUMN[f"step_{letter}"]] += 0.11 * bounce
        values[:, COLUMN[f"knee_{letter}"]] += 0.22 * bounce
    return Performance(limited(values), np.zeros(len(times)))


def posing(rng: np.random.Generator, times: Numbers) -> Performance:
    """Any poses that a person can take, with time to go from each to the next."""
    keys, at, facing = [pose(lift=0.35)], [0.0], 0.0
    while at[-1] <= float(times[-1]):
        facing += float(rng.normal(0, 0.8))
        key = _figure(rng, 1.4)
        key[COLUMN["yaw"]] = facing
        keys.append(key)
        at.append(at[-1] + float(rng.uniform(0.55, 1.1)))
    return Performance(limited(_through(keys, np.array(at), times)), np.zeros(len(times)))


def _through(keys: list[Angles], at: Numbers, times: Numbers) -> Angles:
    """(T, 22): smooth, and never beyond its keys."""
    values: Angles = PchipInterpolator(at, np.stack(keys), axis=0)(times)
    return values


def _figure(rng: np.random.Generator, size: float) -> Angles:
    """One pose: an idea for each arm, one for the legs, and a trunk that goes along."""
    angles: dict[str, float] = {}
    both = rng.random() < 0.35
    idea = _arm(rng)
    for letter in "lr":
        chosen = idea if both else _arm(rng)
        angles |= {f"{name}_{letter}": value for name, value in chosen.items()}
    angles |= _legs(rng, size)
    angles["sway"] = float(rng.normal(0, 0.11 * size))
    angles["spin"] = float(rng.normal(0, 0.16 * size))
    angles["lean"] = angles.get("lean", 0.0) + float(rng.normal(0.02, 0.06 * size))
    angles["look"] = float(rng.normal(0, 0.22))
    angles["nod"] = float(rng.normal(0, 0.1))
    values: Angles = limited(pose(**angles)[None])[0]
    return values


def _arm(rng: np.random.Generator) -> dict[str, float]:
    """Hanging, aside, up, ahead, on the hip, or waving."""
    draw = rng.uniform
    match int(rng.integers(0, 6)):
        case 0:
            return {"lift": draw(0.25, 0.5), "bend": draw(0.1, 0.6), "swing": draw(-0.3, 0.3), "twist": draw(-0.1, 0.2)}
        case 1:
            return {"lift": draw(0.9, 1.7), "bend": draw(0.05, 0.9), "swing": draw(-0.1, 0.4), "twist": draw(-0.1, 0.8)}
        case 2:
            return {"lift": draw(1.9, 2.7), "bend": draw(0.05, 0.8), "swing": draw(0.0, 0.3), "twist": draw(0.2, 0.9)}
        case 3:
            return {"lift": draw(0.3, 0.6), "bend": draw(0.1, 1.2), "swing": draw(0.7, 1.8), "twist": draw(0.0, 0.5)}
        case 4:
            return {"lift": draw(0.75, 1.0), "bend": draw(1.5, 1.8), "swing": draw(-0.35, -0.1), "twist": -0.45}
        case _:
            return {"lift": draw(1.0, 1.5), "bend": draw(1.0, 2.0), "swing": draw(0.0, 0.4), "twist": draw(1.0, 1.5)}


def _legs(rng: np.random.Generator, size: float) -> dict[str, float]:
    """Standing, astride, crouching, a knee up, a lunge, or weight on one leg."""
    draw = rng.uniform
    side, other = ("l", "r") if rng.random() < 0.5 else ("r", "l")
    match int(rng.integers(0, 6)):
        case 0:
            return {"spread": draw(0.03, 0.1)}
        case 1:
            return {"spread": draw(0.15, 0.2 + 0.15 * size)}
        case 2:
            deep = draw(0.3, 0.35 + 0.4 * size)
            return {"step": deep, "knee": 2 * deep, "spread": draw(0.05, 0.25), "lean": 0.45 * deep}
        case 3:
            high = draw(0.5, 0.5 + 0.5 * size)
            return {f"step_{side}": high, f"knee_{side}": high + draw(0.2, 0.6), f"toe_{side}": 0.4}
        case 4:
            deep = draw(0.3, 0.3 + 0.3 * size)
            return {
                **{f"step_{side}": deep, f"knee_{side}": 1.1 * deep, f"step_{other}": -0.6 * deep},
                **{f"knee_{other}": 0.25 * deep, f"toe_{other}": 0.55 * deep},
            }
        case _:
            give = draw(0.15, 0.4)
            return {f"step_{side}": give, f"knee_{side}": 2 * give, f"toe_{side}": 0.3, "spread": draw(0.05, 0.15)}
