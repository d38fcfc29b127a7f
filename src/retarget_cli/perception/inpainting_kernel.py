"""The compiled loops of `inpainting`; importing this imports numba.

The nearest-neighbour field is that of PatchMatch (Barnes et al., SIGGRAPH 2009); a source patch may be lighter
or darker than the place it goes to by a bounded amount, as in Image Melding (Darabi et al., SIGGRAPH 2012), so
that a wall's gradient needs no copy of the very same shade.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

SIDE = 7
REACH = SIDE // 2
# Patches are compared as rows of SIDE pixels of four numbers each: colour and texture.
ROW = SIDE * 4
COUNT = SIDE * SIDE
# The shade of a patch may be changed by so many levels of 255, and each level costs this share of its square.
SHADE = 12.0
SHADE_COST = 0.15


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def shade(mean: Any, ty: int, tx: int, sy: int, sx: int, c: int) -> Any:
    """What is added to channel `c` of the source patch at (sy, sx) for the target (ty, tx)."""
    apart = mean[ty, tx, c] - mean[sy, sx, c]
    wanted = apart / np.float32(1 + SHADE_COST)
    return min(max(wanted, np.float32(-SHADE)), np.float32(SHADE))


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def cost(flat: Any, mean: Any, ty: int, tx: int, sy: int, sx: int, rise: float, limit: float) -> Any:
    """Mean squared difference of two patches, shades adjusted, or anything above `limit`.

    Args:
        flat: (H, 4 W) float32 picture.
        mean: (H, W, 3) float32 means of the patches.
        rise: what a row of vertical offset costs.
    """
    spared = np.float32(0)
    for c in range(3):
        apart = mean[ty, tx, c] - mean[sy, sx, c]
        b = shade(mean, ty, tx, sy, sx, c)
        spared += 2 * b * apart - (1 + np.float32(SHADE_COST)) * b * b
    fixed = np.float32(rise) * abs(sy - ty) - spared
    bound = (np.float32(limit) - fixed) * COUNT
    total = np.float32(0)
    for i in range(SIDE):
        a = flat[ty - REACH + i]
        b2 = flat[sy - REACH + i]
        at, bt = 4 * (tx - REACH), 4 * (sx - REACH)
        part = np.float32(0)
        for j in range(ROW):
            d = a[at + j] - b2[bt + j]
            part += d * d
        total += part
        if total > bound:
            break
    return total / COUNT + fixed


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def search(
    flat: Any, mean: Any, source: Any, rows: Any, columns: Any, field: Any, error: Any, rise: float,
    backward: bool, widest: int, seed: int,
) -> None:  # fmt: skip
    """One pass of propagation and random search; `field` (H, W, 2) and `error` (H, W) are improved.

    Args:
        source: (H, W) bool, centres of patches that may be copied.
        rows, columns: the targets' centres, row by row.
        backward: propagate from below and right instead of above and left.
        widest: where random search begins, pixels.
    """
    height, width = source.shape
    state = np.uint32(seed * 2654435761 + 12345)
    step = -1 if backward else 1
    count = rows.shape[0]
    for number in range(count):
        k = count - 1 - number if backward else number
        ty, tx = rows[k], columns[k]
        best = error[ty, tx]
        by, bx = field[ty, tx, 0], field[ty, tx, 1]
        for way in range(2):
            ny, nx = (ty - step, tx) if way == 0 else (ty, tx - step)
            if ny < 0 or nx < 0 or ny >= height or nx >= width or field[ny, nx, 0] < 0:
                continue
            sy, sx = field[ny, nx, 0] + ty - ny, field[ny, nx, 1] + tx - nx
            if sy < 0 or sx < 0 or sy >= height or sx >= width or not source[sy, sx]:
                continue
            if sy == by and sx == bx:
                continue
            found = cost(flat, mean, ty, tx, sy, sx, rise, best)
            if found < best:
                best, by, bx = found, sy, sx
        reach = widest
        while reach >= 1:
            state ^= np.uint32(state << np.uint32(13))
            state ^= np.uint32(state >> np.uint32(17))
            state ^= np.uint32(state << np.uint32(5))
            sy = by + np.int64(state & np.uint32(0xFFFF)) % (2 * reach + 1) - reach
            sx = bx + np.int64(state >> np.uint32(16)) % (2 * reach + 1) - reach
            reach //= 2
            if sy < 0 or sx < 0 or sy >= height or sx >= width or not source[sy, sx]:
                continue
            found = cost(flat, mean, ty, tx, sy, sx, rise, best)
            if found < best:
                best, by, bx = found, sy, sx
        field[ty, tx, 0], field[ty, tx, 1], error[ty, tx] = by, bx, best


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def measure(flat: Any, mean: Any, rows: Any, columns: Any, field: Any, error: Any, rise: float) -> None:
    """The cost of each target's present source, into `error` (H, W)."""
    for k in range(rows.shape[0]):
        ty, tx = rows[k], columns[k]
        error[ty, tx] = cost(flat, mean, ty, tx, field[ty, tx, 0], field[ty, tx, 1], rise, np.float32(1e9))


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def vote(flat: Any, mean: Any, rows: Any, columns: Any, field: Any, weight: Any) -> Any:
    """(H, W, 11) float32: sums of the patches' values, of their steps to the right and down, and of the weights."""
    total = np.zeros((flat.shape[0], flat.shape[1] // 4, 11), np.float32)
    b = np.zeros(4, np.float32)
    for k in range(rows.shape[0]):
        ty, tx = rows[k], columns[k]
        sy, sx = field[ty, tx, 0], field[ty, tx, 1]
        for c in range(3):
            b[c] = shade(mean, ty, tx, sy, sx, c)
        w = weight[ty, tx]
        for i in range(-REACH, REACH + 1):
            here, below = flat[sy + i], flat[sy + i + 1]
            for j in range(-REACH, REACH + 1):
                at = 4 * (sx + j)
                sums = total[ty + i, tx + j]
                for c in range(4):
                    sums[c] += w * (here[at + c] + b[c])
                for c in range(3):
                    sums[4 + c] += w * (here[at + 4 + c] - here[at + c])
                    sums[7 + c] += w * (below[at + c] - here[at + c])
                sums[10] += w
    return total


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def relax(picture: Any, votes: Any, rows: Any, columns: Any, hold: float, sweeps: int) -> None:
    """Move the pixels at (rows, columns) of `picture` (H, W, 4) so that their steps are the voted ones.

    Successive over-relaxation of the screened Poisson equation (Perez et al., Poisson Image Editing, 2003).

    Args:
        votes: (H, W, 11) as `vote` gives them, divided by the weights.
        hold: how much a voted value weighs beside a voted step.
    """
    height, width = picture.shape[0], picture.shape[1]
    for sweep in range(sweeps):
        for n in range(rows.shape[0]):
            k = rows.shape[0] - 1 - n if sweep % 2 else n
            y, x = rows[k], columns[k]
            for c in range(3):
                total, count = np.float32(hold) * votes[y, x, c], np.float32(hold)
                if x + 1 < width:
                    total += picture[y, x + 1, c] - votes[y, x, 4 + c]
                    count += 1
                if x > 0:
                    total += picture[y, x - 1, c] + votes[y, x - 1, 4 + c]
                    count += 1
                if y + 1 < height:
                    total += picture[y + 1, x, c] - votes[y, x, 7 + c]
                    count += 1
                if y > 0:
                    total += picture[y - 1, x, c] + votes[y - 1, x, 7 + c]
                    count += 1
                picture[y, x, c] += np.float32(1.8) * (total / count - picture[y, x, c])


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def peel(flat: Any, known: Any, sy_all: Any, sx_all: Any, rows: Any, columns: Any, field: Any, rise: float) -> None:
    """Find for each target, outermost first, the source that fits what is known about it, and fill its centre.

    `flat`, `known` (H, W) and `field` are written. Every source is tried: for the coarsest level only.
    """
    height, width = known.shape
    for k in range(rows.shape[0]):
        ty, tx = rows[k], columns[k]
        best, by, bx = np.float32(1e30), 0, 0
        for n in range(sy_all.shape[0]):
            sy, sx = sy_all[n], sx_all[n]
            total, count = np.float32(0), 0
            for i in range(-REACH, REACH + 1):
                for j in range(-REACH, REACH + 1):
                    y, x = ty + i, tx + j
                    if y < 0 or x < 0 or y >= height or x >= width or not known[y, x]:
                        continue
                    count += 1
                    for c in range(4):
                        d = flat[y, 4 * x + c] - flat[sy + i, 4 * (sx + j) + c]
                        total += d * d
                if total > best * COUNT:
                    break
            total = total / max(count, 1) + np.float32(rise) * abs(sy - ty)
            if total < best:
                best, by, bx = total, sy, sx
        for c in range(4):
            flat[ty, 4 * tx + c] = flat[by, 4 * bx + c]
        known[ty, tx] = True
        field[ty, tx, 0], field[ty, tx, 1] = by, bx
