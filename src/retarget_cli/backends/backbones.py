"""Losses that look through a trained network, or what stands in for them where its weights file is missing."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from retarget_cli.networks import classic, sphereface
from retarget_cli.networks.likeness_losses import VGG_SIDE, LikenessLoss, NetworkLoss, PixelLoss, PyramidLoss
from retarget_cli.weights.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What looks at whole pictures, and what looks at faces.

    Attributes:
        whole: of pictures of any size.
        face: of faces, `sphereface.HEIGHT` x `sphereface.WIDTH`.
        notes: what stood in for what; empty where nothing did.
    """

    whole: LikenessLoss
    face: LikenessLoss
    notes: tuple[str, ...]


def likeness(store: Store, device: torch.device) -> Likeness:
    """The losses with VGG-19 and SphereFace, each where its file is there.

    Missing ones are named in one warning.

    Raises:
        WeightsError: a file is there but damaged.
    """
    whole = _network(store, "vgg19", _vgg, classic.UNUSED)
    face = _network(store, "sphere20a", sphereface.Sphere20a, sphereface.UNUSED)
    notes = _missed([key for key, found in (("vgg19", whole), ("sphere20a", face)) if found is None])
    return Likeness(
        _loss(whole, VGG_SIDE, VGG_SIDE).to(device),
        _loss(face, sphereface.HEIGHT, sphereface.WIDTH).to(device),
        notes,
    )


def perceptual(store: Store, device: torch.device) -> tuple[LikenessLoss, tuple[str, ...]]:
    """The loss with VGG-19 at one scale, where its file is there; and notes, empty where nothing stood in.

    Raises:
        WeightsError: the file is there but damaged.
    """
    network = _network(store, "vgg19", _vgg, classic.UNUSED)
    notes = _missed(["vgg19"] if network is None else [])
    return _loss(network, VGG_SIDE, VGG_SIDE).to(device), notes


def pyramid(store: Store, device: torch.device) -> tuple[LikenessLoss, tuple[str, ...]]:
    """The loss with VGG-19 at four scales, where its file is there; and notes, empty where nothing stood in.

    Raises:
        WeightsError: the file is there but damaged.
    """
    network = _network(store, "vgg19", _vgg, classic.UNUSED)
    notes = _missed(["vgg19"] if network is None else [])
    return (PixelLoss() if network is None else PyramidLoss(network)).to(device), notes


def _missed(keys: list[str]) -> tuple[str, ...]:
    """Warn of files that are missing, once, and say it in notes."""
    if keys:
        log.warning(
            "the weights %s are missing: colours, edges and SSIM are compared instead of their features; "
            "`retarget weights pull KEY` gets them, or says where they are",
            " and ".join(keys),
        )
    return tuple(f"{key} was missing: a loss of pixels stood in for its perceptual loss" for key in keys)


def _vgg() -> nn.Module:
    return classic.vgg(19, classic.VGG19_FIRST_TAPS)


def _network(store: Store, key: str, build: Callable[[], nn.Module], unused: tuple[str, ...]) -> nn.Module | None:
    if store.find(key) is None:
        return None
    network = build()
    store.load_into(key, network, unused)
    return network


def _loss(network: nn.Module | None, height: int, width: int) -> LikenessLoss:
    return PixelLoss() if network is None else NetworkLoss(network, height, width)
