"""Betas of a person of some sex, age, stature and weight.

The rows are Anny's own bodies (its phenotypes at mean height and weight) expressed in the package's 27 shape
directions by least squares; they leave between 2 and 9 % of the deviation from the mean adult.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from retarget_cli.body.catalog import load_body
from retarget_cli.body.placement import stature
from retarget_cli.core.motion import FloatArray

Sex = Literal["female", "male"]

# One row an age in _AGES: 27 betas.
_MALE = """
-3.06 -0.8 0.43 1.26 2.26 0.12 -2 0.04 1.17 -0.19 -1.25 -4.48 -0.53 0.87 0.4 1.37 -0.64 0.5 0.15 1.29 0 0.31 -0.39
-0.33 -0.43 0.32 -0.08
-0.69 -0.78 0.6 1.25 1.04 0.38 -1.21 0.83 1.62 -1.29 1.82 -0.99 0.89 1.5 -0.73 -0.04 -0.02 0.17 0.07 -0.21 0.09
0.08 0.13 -0.02 0.14 -0.15 -0.18
1.3 -1 0.14 0.66 0.69 0.83 -0.67 0.92 0.9 -1.2 3.16 1.13 0.89 1.39 -2.15 -1.11 -0.15 -0.35 0.09 0.11 -0.15 0.15
0.14 -0.18 -0.06 0.3 -0.21
1.14 -0.98 -0.41 0.12 1.28 -0.04 -0.97 0.04 -0.63 0.36 0.33 -1.29 0.66 -0.4 -1.53 -0.88 -0.04 0 -0.02 -0.03 0.03
0.01 0.08 -0.02 0.04 -0.13 -0.1
1.08 -0.97 -0.63 -0.11 1.53 -0.4 -1.09 -0.32 -1.26 1 -0.83 -2.28 0.57 -1.13 -1.27 -0.78 0 0.15 -0.07 -0.09 0.1
-0.05 0.06 0.05 0.08 -0.3 -0.06
"""
_FEMALE = """
-3.37 -1.46 -1.23 -1.15 2.78 -0.92 -1.23 0.33 -0.29 -0.39 -1.82 -2.18 -0.93 -1.12 -0.54 1.24 -0.55 0.16 0.03 1.32
-0.13 0.31 -0.52 -0.33 -0.56 0.52 0.08
-1.32 -1.35 -1.29 -2.43 1.55 -0.54 0.3 1.7 -0.07 -0.9 0.82 0.93 0.44 -2.09 -1.3 0.34 0.05 -0.07 -0.12 -0.15 -0.03
0.05 -0.23 -0.01 -0.02 -0.02 0.07
0.33 -0.04 0.75 -2.08 0.19 2.18 1.51 2.95 1.31 1.23 2.03 -2.39 1.03 -2.96 0.1 0.91 -0.24 0.38 -0.06 0.17 0.01 0
-0.65 -0.1 -0.04 -0.12 -0.02
0.4 -0.52 0.54 -2.35 0.34 -0.07 -1.69 0.45 -0.04 -2.42 -0.15 -0.97 -0.13 -0.05 -0.19 1.03 -0.37 -0.01 0.07 0.17
0.01 0.03 -0.67 -0.13 -0.32 0.16 0.01
0.44 -0.71 0.45 -2.46 0.4 -0.99 -3 -0.57 -0.59 -3.92 -1.04 -0.39 -0.6 1.15 -0.31 1.08 -0.42 -0.16 0.13 0.17 0.01
0.05 -0.68 -0.13 -0.44 0.27 0.02
"""
# What makes somebody taller, by about a third of a metre.
_TALLER = """
1.83 -0.51 -0.29 -1.94 1.14 -0.63 -0.73 1.37 0.57 -0.99 0.36 -1.05 0.53 0.87 0.14 0.16 -0.04 0.05 0.01 0.04 0.02
0.01 0.02 0.01 0.02 -0.01 -0.03
"""
_DIRECTIONS, _PRINCIPAL = 27, 16
# Mean stature in metres at the ages of the rows, and its spread as a share.
_STATURE = {"male": (1.16, 1.49, 1.77, 1.76, 1.71), "female": (1.15, 1.50, 1.64, 1.63, 1.58)}
_SPREAD = 0.035
_AGES = (6.0, 12.0, 25.0, 55.0, 80.0)


@dataclass(frozen=True, slots=True)
class Phenotype:
    """What a body comes from.

    Attributes:
        sex, years: years in [6, 85].
        tall: standard deviations from the mean stature of such people.
        heavy: about -1 is thin, 0 usual, 2 stout.
    """

    sex: Sex
    years: float
    tall: float
    heavy: float


def betas_of(person: Phenotype, noise: FloatArray) -> FloatArray:
    """(27,) betas; `noise` (27,) of unit variance makes two such people differ."""
    table = _numbers(_MALE if person.sex == "male" else _FEMALE)
    betas = np.array([np.interp(person.years, _AGES, column) for column in table.T])
    # Children differ less.
    grown = float(np.interp(person.years, (8, 18), (0.45, 1)))
    betas[1] += 1.1 * grown * person.heavy
    betas[2] -= (0.45 if person.sex == "male" else 0.15) * grown * person.heavy
    betas[:_PRINCIPAL] += 0.22 * grown * noise[:_PRINCIPAL]
    betas[_PRINCIPAL:] += 0.55 * noise[_PRINCIPAL:]
    wanted = np.interp(person.years, _AGES, _STATURE[person.sex]) * (1 + _SPREAD * person.tall)
    body, taller = load_body("anny"), _numbers(_TALLER)[0]
    base, above = (stature(body.shaped(torch.from_numpy(b).float())) for b in (betas, betas + taller))
    return (betas + taller * (wanted - base) / (above - base)).astype(np.float32)


def _numbers(text: str) -> NDArray[np.float64]:
    """(rows, 27)."""
    return np.array([float(word) for word in text.split()]).reshape(-1, _DIRECTIONS)
