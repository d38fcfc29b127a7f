"""Appearance transfer by imitation: whoever wears the garment takes the source's pose and gets the source's head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import torch

from retarget_cli.backends.avatar.parts import BoolArray, PosedBody
from retarget_cli.backends.avatar.regions import closed, grown
from retarget_cli.backends.avatar.transforms import pose_transforms
from retarget_cli.backends.avatar.viewed import head_pixels, posed_body
from retarget_cli.backends.base import Backend, Performer, Window
from retarget_cli.body.catalog import load_body
from retarget_cli.body.model import Body, Shape
from retarget_cli.body.placement import stature
from retarget_cli.core.errors import InputError
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.core.parts import Parts
from retarget_cli.core.subject import Subject, View

# Heads end so far apart at most, as a share of the stature.
GAP = 0.03


def dressed(backend: Backend, subject: Subject, garment: Subject, parts: Parts = Parts.ALL) -> Subject:
    """The subject in the garment wearer's clothes.

    Raises:
        InputError: the two are of different canvas sizes or bodies.
    """
    if subject.size != garment.size or subject.body != garment.body:
        raise InputError(
            f"garment of {garment.size[1]}x{garment.size[0]}, source of {subject.size[1]}x{subject.size[0]}",
            "prepare both at the same size",
        )
    body = load_body(subject.body)
    own, lent = (body.shaped(torch.from_numpy(person.betas)) for person in (subject, garment))
    performer = backend.prepare(garment)
    views = tuple(_dressed_view(view, body, own, lent, performer, subject, garment) for view in subject.views)
    return replace(subject, views=views)


def _dressed_view(
    view: View, body: Body, own: Shape, lent: Shape, performer: Performer, subject: Subject, garment: Subject
) -> View:
    camera = matched_camera(view.camera, own, lent)
    rendered = _imitated(performer, view, camera, subject.body, garment.betas)
    head = _head(view, body, own)
    there = replace(view, camera=camera, mask=np.ascontiguousarray(rendered[..., 3]))
    strange = _head(there, body, lent) & ~head
    worn = (rendered[..., 3] > 0.5) & ~strange
    # The two heads end at different heights: what lies between the own one and the garment is the own neck.
    gap = GAP * stature(own) * float(view.camera[0])
    neck = closed(worn | head, gap) & grown(head, gap) & ~worn
    cloth = rendered[..., 3] * ~strange
    kept = np.minimum(soft(head | neck), view.mask)
    # Where the head is not transparent it lies over the garment, as a chin does over a collar.
    under = subject.plate * (1 - cloth[..., None]) + 255 * rendered[..., :3] * cloth[..., None]
    image = under * (1 - kept[..., None]) + view.image * kept[..., None]
    mask = np.maximum(cloth, kept).astype(np.float32)
    return replace(view, image=image.round().clip(0, 255).astype(np.uint8), mask=mask)


def matched_camera(camera: FloatArray, own: Shape, lent: Shape) -> FloatArray:
    """(3,): the camera that shows another body as tall as the own one, and its hips in the same place."""
    scale = camera[0] * stature(own) / stature(lent)
    hips = camera[0] * own.joints[0, :2].numpy() + camera[1:]
    return np.concatenate([[scale], hips - scale * lent.joints[0, :2].numpy()]).astype(np.float32)


def _imitated(
    performer: Performer, view: View, camera: FloatArray, body: str, betas: FloatArray
) -> FloatArray:
    """(H, W, 4): the garment's wearer in the view's pose."""
    height, width = view.image.shape[:2]
    motion = Motion(
        (height, width),
        (Fraction(0),),
        np.ones(1, bool),
        view.pose[None],
        view.world[None],
        theta=view.theta[None],
        camera=camera[None],
        body=body,
        betas=betas,
    )

    def one() -> Iterator[Window]:
        yield Window(0, motion)

    frames = torch.cat([part.cpu() for part in performer.perform(one())])
    return frames[0].permute(1, 2, 0).numpy().astype(np.float32)


def _head(view: View, body: Body, shape: Shape) -> BoolArray:
    """(H, W): the person's pixels that are the head."""
    posed: PosedBody = posed_body(view, body, shape, pose_transforms(view.theta[None], body, shape)[0])
    return head_pixels(posed, view.mask > 0.5)


def soft(region: BoolArray) -> FloatArray:
    """(H, W) in [0, 1]: the region with an edge two pixels wide."""
    return np.asarray(cv2.GaussianBlur(region.astype(np.float32), (0, 0), 1.0), np.float32)
