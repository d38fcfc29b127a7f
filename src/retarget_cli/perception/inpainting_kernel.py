"""The compiled loops of `inpainting`; importing this imports numba.

Pictures are (H, W, 4) float32: red, green, blue, and how much texture there was at full size.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

# A patch has so many pixels on its side, an odd number; it is named by its centre, from which it reaches so far.
SIDE = 7
REACH = SIDE // 2
# Patches are compared as SIDE runs of so many numbers.
RUN = SIDE * 4
COUNT = SIDE * SIDE
# The shade of a copied patch may change by so many levels of 255; a change costs this share of its square.
SHADE = 12.0
SHADE_COST = 0.15
# Over-relaxation: 1 would be Gauss-Seidel, 2 diverges.
OVER = 1.8


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def shade(mean: Any, ty: int, tx: int, sy: int, sx: int, c: int) -> Any:
    """What is added to channel `c` of the source patch at (sy, sx) when it goes to (ty, tx)."""
    wanted = (mean[ty, tx, c] - mean[sy, sx, c]) / np.float32(1 + SHADE_COST)
    return min(max(wanted, np.float32(-SHADE)), np.float32(SHADE))


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def cost(flat: Any, mean: Any, ty: int, tx: int, sy: int, sx: int, rise: float, limit: float) -> Any:
    """Mean squared difference of two patches with their shades adjusted, or anything above `limit`.

    Args:
        flat: (H, 4 W) float32, the picture; so that a patch's row is one run of numbers for the vector unit.
        mean: (H, W, 4) float32, the mean of the patch about each pixel.
        rise: what each row between source and target costs.
    """
    fixed = np.float32(rise) * abs(sy - ty)
    for c in range(3):
        # |t - s - b|^2 = |t - s|^2 - (2 b (mean t - mean s) - b^2) per pixel: no second pass for the shade.
        b = shade(mean, ty, tx, sy, sx, c)
        fixed -= 2 * b * (mean[ty, tx, c] - mean[sy, sx, c]) - np.float32(1 + SHADE_COST) * b * b
    bound = (np.float32(limit) - fixed) * COUNT
    total = np.float32(0)
    for i in range(-REACH, REACH + 1):
        target, source = flat[ty + i], flat[sy + i]
        at, bt = 4 * (tx - REACH), 4 * (sx - REACH)
        part = np.float32(0)
        for j in range(RUN):
            d = target[at + j] - source[bt + j]
            part += d * d
        total += part
        if total > bound:
            break
    return total / COUNT + fixed


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def search(
    flat: Any, mean: Any, source: Any, targets: Any, field: Any, error: Any, rise: float, backward: bool,
    widest: int, seed: int,
) -> None:  # fmt: skip
    """One pass of propagation and random search; `field` (H, W, 2) and `error` (H, W) are improved.

    PatchMatch: Barnes et al., SIGGRAPH 2009, section 3.2.

    Args:
        source: (H, W) bool, centres of the patches that may be copied.
        targets: (N, 2) the targets' centres, row by row.
        backward: propagate from below and right instead of above and left.
        widest: where random search begins, pixels.
    """
    state = np.uint32(seed * 2654435761 + 12345)
    step = -1 if backward else 1
    count = targets.shape[0]
    for number in range(count):
        k = count - 1 - number if backward else number
        ty, tx = targets[k, 0], targets[k, 1]
        for way in range(2):
            ny, nx = (ty - step, tx) if way == 0 else (ty, tx - step)
            if ny < 0 or nx < 0 or ny >= source.shape[0] or nx >= source.shape[1] or field[ny, nx, 0] < 0:
                continue
            sy, sx = field[ny, nx, 0] + ty - ny, field[ny, nx, 1] + tx - nx
            _consider(flat, mean, source, field, error, rise, ty, tx, sy, sx)
        reach = widest
        while reach >= 1:
            # Xorshift (Marsaglia 2003).
            state = np.uint32(state ^ np.uint32(state << np.uint32(13)))
            state = np.uint32(state ^ np.uint32(state >> np.uint32(17)))
            state = np.uint32(state ^ np.uint32(state << np.uint32(5)))
            sy = field[ty, tx, 0] + np.int64(state & np.uint32(0xFFFF)) % (2 * reach + 1) - reach
            sx = field[ty, tx, 1] + np.int64(state >> np.uint32(16)) % (2 * reach + 1) - reach
            reach //= 2
            _consider(flat, mean, source, field, error, rise, ty, tx, sy, sx)


@numba.njit(cache=True, nogil=True, fastmath=True, inline="always")  # type: ignore[untyped-decorator]
def _consider(
    flat: Any, mean: Any, source: Any, field: Any, error: Any, rise: float, ty: int, tx: int, sy: int, sx: int
) -> None:
    if sy < 0 or sx < 0 or sy >= source.shape[0] or sx >= source.shape[1] or not source[sy, sx]:
        return
    if sy == field[ty, tx, 0] and sx == field[ty, tx, 1]:
        return
    found = cost(flat, mean, ty, tx, sy, sx, rise, error[ty, tx])
    if found < error[ty, tx]:
        field[ty, tx, 0], field[ty, tx, 1], error[ty, tx] = sy, sx, found


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def measure(flat: Any, mean: Any, targets: Any, field: Any, error: Any, rise: float) -> None:
    """The cost of each target's present source, into `error` (H, W)."""
    for k in range(targets.shape[0]):
        ty, tx = targets[k, 0], targets[k, 1]
        error[ty, tx] = cost(flat, mean, ty, tx, field[ty, tx, 0], field[ty, tx, 1], rise, np.float32(1e9))


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def vote(picture: Any, mean: Any, targets: Any, field: Any, weight: Any) -> Any:
    """(H, W, 11) float32: sums of the patches' 4 values, of 3 steps to the right and 3 down, and of weights."""
    total = np.zeros((picture.shape[0], picture.shape[1], 11), np.float32)
    b = np.zeros(4, np.float32)
    for k in range(targets.shape[0]):
        ty, tx = targets[k, 0], targets[k, 1]
        sy, sx = field[ty, tx, 0], field[ty, tx, 1]
        for c in range(3):
            b[c] = shade(mean, ty, tx, sy, sx, c)
        w = weight[ty, tx]
        for i in range(-REACH, REACH + 1):
            for j in range(-REACH, REACH + 1):
                sums, here = total[ty + i, tx + j], picture[sy + i, sx + j]
                right, below = picture[sy + i, sx + j + 1], picture[sy + i + 1, sx + j]
                for c in range(4):
                    sums[c] += w * (here[c] + b[c])
                for c in range(3):
                    sums[4 + c] += w * (right[c] - here[c])
                    sums[7 + c] += w * (below[c] - here[c])
                sums[10] += w
    return total


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def keep_edges(votes: Any, picture: Any, seam: float, edge: float) -> None:
    """Where a step of `picture` is far from the voted one, vote for the step as it is; `votes` is changed.

    Unlike things meet there (a curtain and a wall): solved for, one would bleed far into the other.

    Args:
        seam, edge: apart by this many levels a voted step still holds, and holds no more.
    """
    height, width = picture.shape[0], picture.shape[1]
    for y in range(height):
        for x in range(width):
            if votes[y, x, 10] <= 0:
                continue
            for first, ny, nx in ((4, y, x + 1), (7, y + 1, x)):
                if ny >= height or nx >= width:
                    continue
                size: Any = np.float32(0)
                for c in range(3):
                    size = max(size, abs(picture[ny, nx, c] - picture[y, x, c] - votes[y, x, first + c]))
                share = np.float32(min(max((size - seam) / (edge - seam), 0), 1))
                for c in range(3):
                    apart = picture[ny, nx, c] - picture[y, x, c] - votes[y, x, first + c]
                    votes[y, x, first + c] += share * apart


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def relax(picture: Any, votes: Any, pixels: Any, hold: float, sweeps: int) -> None:
    """Move `pixels` (N, 2) of a picture so that the steps between neighbours become the voted ones.

    The screened Poisson equation (Perez et al., Poisson Image Editing, SIGGRAPH 2003) by over-relaxation.

    Args:
        votes: (H, W, 11) as `vote` gives them, divided by the weights.
        hold: how much a voted value weighs beside a voted step.
    """
    height, width, count = picture.shape[0], picture.shape[1], pixels.shape[0]
    for sweep in range(sweeps):
        for n in range(count):
            k = count - 1 - n if sweep % 2 else n
            y, x = pixels[k, 0], pixels[k, 1]
            for c in range(3):
                total, share = np.float32(hold) * votes[y, x, c], np.float32(hold)
                if x + 1 < width:
                    total += picture[y, x + 1, c] - votes[y, x, 4 + c]
                    share += 1
                if x > 0:
                    total += picture[y, x - 1, c] + votes[y, x - 1, 4 + c]
                    share += 1
                if y + 1 < height:
                    total += picture[y + 1, x, c] - votes[y, x, 7 + c]
                    share += 1
                if y > 0:
                    total += picture[y - 1, x, c] + votes[y - 1, x, 7 + c]
                    share += 1
                picture[y, x, c] += np.float32(OVER) * (total / share - picture[y, x, c])


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def misfit(picture: Any, known: Any, ty: int, tx: int, sy: int, sx: int, limit: float) -> Any:
    """Sum of squared differences of two patches where the target's is known, or anything above `limit`."""
    total = np.float32(0)
    for y in range(max(ty - REACH, 0), min(ty + REACH + 1, known.shape[0])):
        for x in range(max(tx - REACH, 0), min(tx + REACH + 1, known.shape[1])):
            if known[y, x]:
                for c in range(4):
                    d = picture[y, x, c] - picture[sy + y - ty, sx + x - tx, c]
                    total += d * d
        if total > limit:
            break
    return total


@numba.njit(cache=True, nogil=True, fastmath=True)  # type: ignore[untyped-decorator]
def peel(picture: Any, known: Any, source: Any, grid: Any, stride: int, pixels: Any, field: Any, rise: float) -> None:
    """Fill `pixels` (N, 2) in their order, each by the centre of the source that fits what is known about it.

    Tried are those of `grid` (M, 2), one in each square of `stride`; then all about the best and those that carry
    on what the pixels above, below and beside have. `picture`, `known` (H, W) and `field` are written.
    """
    height, width = known.shape
    wide = 2 * stride - 1
    nearby = wide * wide if stride > 1 else 0
    for k in range(pixels.shape[0]):
        ty, tx = pixels[k, 0], pixels[k, 1]
        best, by, bx = np.float32(1e30), grid[0, 0], grid[0, 1]
        patch = known[max(ty - REACH, 0) : ty + REACH + 1, max(tx - REACH, 0) : tx + REACH + 1]
        # A row of offset counts per pixel compared.
        slope = np.float32(rise) * max(patch.sum(), 1)
        gy, gx = by, bx
        for n in range(grid.shape[0] + 4 + nearby):
            if n < grid.shape[0]:
                sy, sx = grid[n, 0], grid[n, 1]
            elif n < grid.shape[0] + 4:
                ny, nx = _beside(ty, tx, n - grid.shape[0])
                if ny < 0 or nx < 0 or ny >= height or nx >= width or field[ny, nx, 0] < 0:
                    continue
                sy, sx = field[ny, nx, 0] + ty - ny, field[ny, nx, 1] + tx - nx
            else:
                m = n - grid.shape[0] - 4
                if m == 0:
                    gy, gx = by, bx
                sy, sx = gy + m // wide - stride + 1, gx + m % wide - stride + 1
            if sy < 0 or sx < 0 or sy >= height or sx >= width or not source[sy, sx]:
                continue
            fixed = slope * abs(sy - ty)
            found = misfit(picture, known, ty, tx, sy, sx, best - fixed) + fixed
            if found < best:
                best, by, bx = found, sy, sx
        picture[ty, tx] = picture[by, bx]
        known[ty, tx] = True
        field[ty, tx, 0], field[ty, tx, 1] = by, bx


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _beside(y: int, x: int, way: int) -> Any:
    if way < 2:
        return y + 2 * way - 1, x
    return y, x + 2 * way - 5
