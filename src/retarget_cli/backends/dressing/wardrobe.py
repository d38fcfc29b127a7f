"""Clothes cut from a photo of their wearer, altered to fit somebody else, and hung on that body in any pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import torch

from retarget_cli.backends.avatar.alteration import altered
from retarget_cli.backends.avatar.backend import AvatarPerformer
from retarget_cli.backends.avatar.figure import Figure, assemble, dressed_parts
from retarget_cli.backends.avatar.hands import projected
from retarget_cli.backends.avatar.parts import WRISTS, Part
from retarget_cli.backends.avatar.viewed import Viewed
from retarget_cli.backends.base import Window
from retarget_cli.backends.dressing.clothing import Clothing, without_hair
from retarget_cli.backends.dressing.skin import recoloured
from retarget_cli.body.model import Body, Shape
from retarget_cli.core.motion import FloatArray, Motion
from retarget_cli.core.subject import Image, View

# Mesh nodes in the wearer's height, and samples a pixel in each direction, as the avatar's own.
NODES, SAMPLES = 140, 2
UNDER_HAIR = [0, 3, 6, 9, 13, 14, 16, 17, 18, 19]
WITHOUT_ARMS = (Part.TRUNK, Part.LEFT_LEG, Part.RIGHT_LEG)


@dataclass(frozen=True, slots=True)
class Hung:
    """Clothes on a body, as one view shows them.

    Attributes:
        color: (H, W, 3) in [0, 1].
        cover: (H, W) in [0, 1]: where the wearer is.
        upper, lower, skin: (H, W) in [0, 1]: how much of what covers is worn above, below, or bare skin of either;
            hands are none of these where the new wearer keeps his own.
    """

    color: FloatArray
    cover: FloatArray
    upper: FloatArray
    lower: FloatArray
    skin: FloatArray


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """The clothes, for one body.

    Attributes:
        whole: figures of everything: its colours, and what each of its points is.
        below: the same without the arms, under which trunk and legs go on.
        body, shape: who they are altered for.
    """

    whole: tuple[Figure, Figure]
    below: tuple[Figure, Figure]
    body: Body
    shape: Shape

    @classmethod
    def of(cls, views: Sequence[View], body: Body, worn: Shape, wearer: Shape, skin: Image | None) -> Wardrobe:
        """Cut the clothes out.

        Args:
            views: of the one who wears them; the first gives their form.
            worn, wearer: bodies that they are on, and shall be on.
            skin: (3,) uint8 of the new wearer, for what the clothes leave bare; None leaves the other's.

        Raises:
            InputError: nothing of a person is left to cut.
        """
        found = [Viewed.of(view, body, worn) for view in views]
        sorted_ = [Clothing.of(viewed) for viewed in found]
        clean = [_prepared(viewed, clothing, skin) for viewed, clothing in zip(found, sorted_, strict=True)]
        named = [
            _named(viewed, clothing, hands=skin is None) for viewed, clothing in zip(found, sorted_, strict=True)
        ]
        step = max(1.5, found[0].body.height / NODES)
        colors, names = dressed_parts(clean, step), dressed_parts(named, step)
        some = [part for part in WITHOUT_ARMS if part in colors] or list(colors)

        def cut(parts: Sequence[Part]) -> tuple[Figure, Figure]:
            color, name = (
                altered(assemble([pieces[part] for part in parts], found[0]), worn, wearer)
                for pieces in (colors, names)
            )
            return color, name

        return cls(cut(list(colors)), cut(some), body, wearer)

    def hung(self, view: View, *, arms: bool) -> Hung:
        """The clothes in the pose and the place of a view, on the body that they are for."""
        color, name = (
            _drawn(figure, self.body, self.shape, view) for figure in (self.whole if arms else self.below)
        )
        return Hung(color[..., :3], color[..., 3], name[..., 0], name[..., 1], name[..., 2])


def _prepared(viewed: Viewed, clothing: Clothing, skin: Image | None) -> Viewed:
    """The view without hair over the clothes, and with skin in the new wearer's colour."""
    clean = without_hair(viewed, clothing)
    image = recoloured(clean.view.image, clothing.skin, viewed.look.skin, skin)
    if skin is None:
        return replace(clean, view=replace(clean.view, image=image))
    hands = {part: replace(hand, skin=None if hand.skin is None else skin) for part, hand in clean.hands.items()}
    return replace(clean, view=replace(clean.view, image=image), hands=hands)


def _named(viewed: Viewed, clothing: Clothing, *, hands: bool) -> Viewed:
    """The view as a picture of what each pixel is: red the upper, green the lower part, blue skin."""
    # Hair over trunk and arms hides clothes that go on under it; beside them it hides nothing.
    hidden = clothing.head & ~viewed.head & projected(viewed.body, UNDER_HAIR)
    upper = clothing.upper | hidden
    gone = np.zeros_like(upper)
    if not hands:
        for part, wrist in WRISTS.items():
            gone |= projected(viewed.body, list(wrist)) & (viewed.parts.labels == part)
    image = np.stack([upper & ~gone, clothing.lower, clothing.skin & ~gone], -1).astype(np.uint8) * 255
    invented = None if hands else np.zeros(3, np.uint8)
    palms = {
        part: replace(hand, skin=None if hand.skin is None else invented) for part, hand in viewed.hands.items()
    }
    return replace(viewed, view=replace(viewed.view, image=image), hands=palms)


def _drawn(figure: Figure, body: Body, shape: Shape, view: View) -> FloatArray:
    """(H, W, 4): a figure in a view's pose."""
    height, width = view.image.shape[:2]
    motion = Motion(
        (height, width),
        (Fraction(0),),
        np.ones(1, bool),
        view.pose[None],
        view.world[None],
        theta=view.theta[None],
        camera=view.camera[None],
    )
    performer = AvatarPerformer(figure, body, shape, (height, width), SAMPLES, torch.device("cpu"))
    (frames,) = performer.perform(iter([Window(0, motion)]))
    return np.asarray(frames[0].permute(1, 2, 0).numpy(), np.float32)
