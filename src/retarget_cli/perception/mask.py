"""Which pixels of a photo are the person.

The network's mask is 256 px of a square about the person. Reading that square several times, moved, scaled
and mirrored, gives an average that is finer than any one reading; its outline is then drawn by the picture's
own colours.
GrabCut was tried for the outline on the six photos of the shared data: it kept floor between the feet and
background between hand and thigh, and lost fingers; a guided filter of the soft mask left a halo 5 px wide.
"""

from __future__ import annotations

import cv2
import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image
from retarget_cli.perception.engine import LandmarkNet, Region
from retarget_cli.perception.matting import solve_alpha
from retarget_cli.perception.pose import PoseFinding

# Where the person's square is read: shift in sides, scale, whether mirrored.
_READINGS = (
    (0.0, 0.0, 1.0, False),
    (0.01, 0.013, 1.07, True),
    (-0.013, 0.007, 0.95, False),
    (0.007, -0.01, 1.13, True),
    (-0.004, 0.004, 0.9, False),
    (0.0, -0.006, 1.03, True),
)
_VISIBLE = 0.5
_SURELY_IN, _SURELY_OUT = 0.97, 0.1
# Half the width of the band along the outline that is solved, in sides of the person's square.
_BAND = 0.005
# Alpha below and above is noise of the solution: these become 0 and 1.
_FLOOR, _CEILING = 0.2, 0.8
_STEEPER = 2.0
# The outermost solid pixels keep their colour when it is within so many levels of what lies inside.
_ALIKE = 40
_LEAST_AGREEMENT = 0.75

_BONES = (
    (11, 12), (11, 23), (12, 24), (23, 24), (11, 13), (13, 15), (12, 14), (14, 16), (15, 19), (16, 20),
    (23, 25), (25, 27), (24, 26), (26, 28), (27, 31), (28, 32), (0, 11), (0, 12),
)  # fmt: skip


def person_mask(rgb: Image, finding: PoseFinding, given_alpha: FloatArray | None) -> FloatArray:
    """The person's alpha at the picture's own size; 0.2 to 0.6 s for 1024 px.

    Args:
        rgb: (H, W, 3) uint8.
        finding: the person, with or without a soft mask.
        given_alpha: (H, W) in [0, 1], the picture's own; used as it is when it plainly cuts the person out,
            and as a limit otherwise (what is transparent has no colour).

    Returns:
        (H, W) float32 in [0, 1]; what a person holds belongs to him.

    Raises:
        BackendError: MediaPipe cannot be started, or fails.
    """
    soft = _averaged_mask(rgb, finding)
    if given_alpha is not None and _is_cut_out(given_alpha, soft):
        return np.ascontiguousarray(given_alpha, dtype=np.float32)
    mask = refined_mask(rgb, soft, finding.pose)
    return mask if given_alpha is None else np.asarray(mask * given_alpha, dtype=np.float32)


def refined_mask(rgb: Image, soft: FloatArray, pose: FloatArray) -> FloatArray:
    """A soft mask with its outline moved to the picture's edges.

    Args:
        rgb: (H, W, 3) uint8.
        soft: (H, W) in [0, 1].
        pose: (33, 3) x, y in pixels, visibility.
    """
    side = _square_of(pose, rgb.shape[0], rgb.shape[1]).side
    skeleton = _skeleton(pose, soft, side)
    radius = max(2, round(side * _BAND))
    disc = np.asarray(
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), dtype=np.uint8
    )
    inside = (cv2.erode((soft > _SURELY_IN).astype(np.uint8), disc) > 0) | skeleton
    outside = (cv2.dilate((soft > _SURELY_OUT).astype(np.uint8), disc) == 0) & ~skeleton
    # The averaged mask is softer than any edge in the picture: where colours say little, a steeper guess
    # stays crisp.
    guess = np.clip(_STEEPER * (soft - 0.5) + 0.5, 0.0, 1.0)
    known = np.where(inside, 1.0, np.where(outside, 0.0, guess)).astype(np.float32)
    alpha = solve_alpha(rgb, known, ~(inside | outside))
    alpha = np.clip((alpha - _FLOOR) / (_CEILING - _FLOOR), 0.0, 1.0).astype(np.float32)
    return _attached(alpha, skeleton)


def foreground_colors(rgb: Image, mask: FloatArray) -> Image:
    """The picture with the person's own colours carried outwards over the outline.

    Pixels of the outline are mixed with the background; drawn elsewhere they show as a fringe. Every pixel
    that is not wholly the person takes the mean colour of the nearest ones that are.

    Args:
        rgb: (H, W, 3) uint8.
        mask: (H, W) in [0, 1].

    Returns:
        (H, W, 3) uint8; unchanged more than a pixel inside of the outline.
    """
    solid = (mask >= 0.98).astype(np.uint8)
    if not solid.any():
        return rgb
    disc = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)), dtype=np.uint8)
    core = cv2.erode(solid, disc)  # the outermost solid pixels are still a little mixed
    core = core if core.any() else solid
    _, labels = cv2.distanceTransformWithLabels(1 - core, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    source = np.zeros(int(labels.max()) + 1, dtype=np.int64)
    source[labels[core > 0]] = np.flatnonzero(core)
    spread = rgb.reshape(-1, 3)[source[labels]]
    smooth = np.asarray(cv2.GaussianBlur(spread, (0, 0), 1.0), dtype=np.uint8)
    alike = cv2.absdiff(rgb, smooth).max(axis=2) < _ALIKE
    kept = (core > 0) | ((solid > 0) & alike)
    return np.where(kept[..., None], rgb, smooth).astype(np.uint8)


def _averaged_mask(rgb: Image, finding: PoseFinding) -> FloatArray:
    height, width = rgb.shape[:2]
    square = _square_of(finding.pose, height, width)
    plain = np.ascontiguousarray(rgb)
    mirrored = np.ascontiguousarray(rgb[:, ::-1])
    found = [] if finding.soft_mask is None else [finding.soft_mask]
    with LandmarkNet(with_mask=True, least_presence=0.0) as reader:
        for dx, dy, scale, is_mirrored in _READINGS:
            x, y = square.x + dx * square.side, square.y + dy * square.side
            region = Region(width - x if is_mirrored else x, y, square.side * scale, 0.0)
            reading = reader.read(mirrored if is_mirrored else plain, region)
            if reading is not None and reading.soft_mask is not None:
                found.append(reading.soft_mask[:, ::-1] if is_mirrored else reading.soft_mask)
    return np.asarray(np.mean(found, axis=0) if found else np.zeros((height, width)), dtype=np.float32)


def _square_of(pose: FloatArray, height: int, width: int) -> Region:
    """The person's square, upright, with room for hair and hands."""
    seen = pose[pose[:, 2] >= _VISIBLE, :2]
    if len(seen) < 2:
        return Region(width / 2, height / 2, float(max(height, width)), 0.0)
    low, high = seen.min(axis=0), seen.max(axis=0)
    side = 1.25 * float(max((high - low).max(), 8.0))
    return Region(float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2 - 0.03 * side, side, 0.0)


def _skeleton(
    pose: FloatArray, soft: FloatArray, side: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """(H, W) bool: bones that are plainly seen and that the soft mask does not deny."""
    drawn = np.zeros(soft.shape, dtype=np.uint8)
    for start, end in _BONES:
        if min(pose[start, 2], pose[end, 2]) < _VISIBLE:
            continue
        ends = [tuple(int(v) for v in np.round(np.clip(pose[k, :2], -1e4, 1e4))) for k in (start, end)]
        cv2.line(drawn, ends[0], ends[1], 1, max(1, round(0.006 * side)))
    return (drawn > 0) & (soft > 0.5)


def _attached(alpha: FloatArray, skeleton: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    """Without the islands that no bone reaches: other people, reflections, noise."""
    count, labels = cv2.connectedComponents((alpha > 0.05).astype(np.uint8))
    kept = np.zeros(count, dtype=bool)
    kept[np.unique(labels[skeleton])] = True
    kept[0] = False
    if not kept.any():
        return alpha
    return np.where(kept[labels], alpha, 0.0).astype(np.float32)


def _is_cut_out(alpha: FloatArray, soft: FloatArray) -> bool:
    """Whether the picture's own transparency follows the person (and not, say, a round frame)."""
    ours, theirs = soft > 0.5, alpha > 0.5
    union = np.count_nonzero(ours | theirs)
    return union > 0 and np.count_nonzero(ours & theirs) / union >= _LEAST_AGREEMENT
