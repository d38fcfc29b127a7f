"""Alpha of the pixels along an outline, from their colours.

After Levin, Lischinski, Weiss: A Closed-Form Solution to Natural Image Matting (CVPR 2006): in every 3x3
window alpha is held to be an affine function of the colour. Solved only where alpha is unknown, with a soft
mask as a weak prior.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from numpy.typing import NDArray

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image

_WINDOW = 9
_KNOWN_WEIGHT = 100.0

BoolArray = NDArray[np.bool_]


def solve_alpha(
    rgb: Image, soft: FloatArray, unknown: BoolArray, prior: float = 0.05, epsilon: float = 1e-4
) -> FloatArray:
    """Alpha that follows the colours where it is unknown.

    Args:
        rgb: (H, W, 3) uint8.
        soft: (H, W) in [0, 1]: a guess where unknown, the truth elsewhere.
        unknown: (H, W) bool.
        prior: how strongly the guess holds; less lets colours decide.
        epsilon: how noisy colours are, as a variance in [0, 1]^2; more gives a smoother alpha.

    Returns:
        (H, W) float32 in [0, 1], equal to `soft` outside of `unknown`.
    """
    pixels = _windows(unknown)
    if len(pixels) == 0:
        return soft
    used, compact = np.unique(pixels, return_inverse=True)
    affinity = _affinity(rgb.reshape(-1, 3)[pixels].astype(np.float32) / 255.0, epsilon)
    guess = soft.reshape(-1)[used].astype(np.float64)
    is_unknown = unknown.reshape(-1)[used]
    weights = np.where(is_unknown, prior, _KNOWN_WEIGHT)
    system = _laplacian(affinity, compact.reshape(pixels.shape), len(used)) + scipy.sparse.diags(weights)
    preconditioner = scipy.sparse.diags(1.0 / system.diagonal())
    found, _ = scipy.sparse.linalg.cg(
        system.tocsr(), weights * guess, x0=guess, rtol=1e-3, maxiter=100, M=preconditioner
    )  # not converged after 100 steps is still better than the guess
    alpha = soft.astype(np.float32).reshape(-1).copy()
    alpha[used[is_unknown]] = np.clip(found[is_unknown], 0.0, 1.0)
    return alpha.reshape(soft.shape)


def _windows(unknown: BoolArray) -> NDArray[np.int64]:
    """(N, 9) flat indices of the 3x3 windows that hold an unknown pixel and lie within the picture."""
    height, width = unknown.shape
    if height < 3 or width < 3:
        return np.empty((0, _WINDOW), dtype=np.int64)
    shifts = [(y, x) for y in range(3) for x in range(3)]
    touched = np.zeros((height - 2, width - 2), dtype=bool)
    for y, x in shifts:
        touched |= unknown[y : height - 2 + y, x : width - 2 + x]
    rows, columns = np.nonzero(touched)
    return np.stack([(rows + y) * width + columns + x for y, x in shifts], axis=1)


def _affinity(colors: FloatArray, epsilon: float) -> FloatArray:
    """(N, 9, 3) colours of windows -> (N, 9, 9), equation 12 of the paper without the identity."""
    centered = colors - colors.mean(axis=1, keepdims=True)
    covariance = centered.transpose(0, 2, 1) @ centered / _WINDOW
    covariance += np.eye(3, dtype=np.float32) * (epsilon / _WINDOW)
    inverse = np.linalg.inv(covariance)
    return np.asarray((1.0 + centered @ inverse @ centered.transpose(0, 2, 1)) / _WINDOW, dtype=np.float32)


def _laplacian(affinity: FloatArray, compact: NDArray[np.int64], count: int) -> scipy.sparse.csr_matrix:
    rows = np.repeat(compact.astype(np.int32), _WINDOW, axis=1).reshape(-1)
    columns = np.tile(compact.astype(np.int32), (1, _WINDOW)).reshape(-1)
    joined = scipy.sparse.coo_matrix((affinity.reshape(-1), (rows, columns)), shape=(count, count)).tocsr()
    return scipy.sparse.diags(np.asarray(joined.sum(axis=1)).reshape(-1)) - joined
