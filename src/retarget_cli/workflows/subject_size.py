"""A subject that was prepared before, on a canvas of another size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from retarget_cli.core.motion import FloatArray
from retarget_cli.core.subject import Image, Subject, View
from retarget_cli.perception.pose import PoseFinding
from retarget_cli.workflows.canvas import CanvasSize, Find, fit_canvas

_SPAN = 1000.0


def resized_subject(subject: Subject, canvas: CanvasSize) -> Subject:
    """The same person on another canvas: laid into it as a picture would be, nothing is perceived anew.

    Args:
        subject: as it was prepared.
        canvas: of `parse_size`; where no size was asked for, the subject keeps its own.
    """
    if canvas == CanvasSize() or canvas.exact == subject.size:
        return subject
    views = tuple(_resized(view, canvas) for view in subject.views)
    plate, _, _ = fit_canvas(subject.plate, None, canvas, _finds(subject.primary))
    return replace(subject, views=views, plate=plate)


def _resized(view: View, canvas: CanvasSize) -> View:
    image, mask, finding = fit_canvas(view.image, view.mask, canvas, _finds(view))
    if finding is None or mask is None:
        raise ValueError("a finding and a mask were handed in and did not come back")
    pose, (origin, far) = finding.pose[:-2], finding.pose[-2:, :2]
    scale = float((far - origin).mean()) / _SPAN
    camera = np.concatenate([view.camera[:1] * scale, view.camera[1:] * scale + origin]).astype(np.float32)
    return replace(view, image=image, mask=mask, pose=pose, camera=camera)


def _finds(view: View) -> Find:
    """What stands for looking for the person: the landmarks that are known, and two corners of a square.

    The corners have no confidence, so that they have no part in where the person is laid; where they come out shows
    what was done to the picture.
    """
    corners = np.array([[0, 0, 0], [_SPAN, _SPAN, 0]], np.float32)
    known: FloatArray = np.concatenate([view.pose, corners]).astype(np.float32)

    def find(picture: Image) -> PoseFinding:
        factor = np.array(
            [picture.shape[1] / view.image.shape[1], picture.shape[0] / view.image.shape[0], 1], np.float32
        )
        return PoseFinding(known * factor, view.world, None)

    return find
