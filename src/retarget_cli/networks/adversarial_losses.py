"""Games between a generator and discriminators: least squares, and features that should match.

Mao et al., Least squares generative adversarial networks, 2017; Wang et al., High-resolution image synthesis and
semantic manipulation with conditional GANs (pix2pixHD), 2018, equations 4 and 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from retarget_cli.networks.multiscale_discriminator import Judgement

# What a discriminator should say of the real and of the made, and what the generator wants it to say: "LSGAN-110".
REAL, MADE, WANTED = 1.0, -1.0, 0.0
# The same where the generator wants to be taken for real; as in pix2pixHD and vid2vid.
TRUE, FALSE = 1.0, 0.0
# How much features count that should match, and the layers for which that number was found.
_MATCHING, _LAYERS = 10.0, 4


def least_squares(scores: Sequence[Tensor], label: float) -> Tensor:
    """The mean squared distance to the label; every discriminator's map counts the same."""
    return torch.stack(_distances(scores, label)).mean()


def judgement(judged: Sequence[Judgement], label: float) -> Tensor:
    """`least_squares` of what one discriminator says at all of its scales."""
    return least_squares([each.score for each in judged], label)


def believed(judged: Sequence[Judgement]) -> Tensor:
    """What the generator minimises: how far its pictures are from being taken for real, all scales added up."""
    return torch.stack(_distances([each.score for each in judged], TRUE)).sum()


def told_apart(real: Sequence[Judgement], made: Sequence[Judgement]) -> Tensor:
    """What the discriminator minimises: half of its errors about real and about made pictures, all scales added up."""
    errors = _distances([each.score for each in real], TRUE) + _distances([each.score for each in made], FALSE)
    return torch.stack(errors).sum() / 2


def matching(made: Sequence[Judgement], real: Sequence[Judgement], weight: float = _MATCHING) -> Tensor:
    """L1 of the discriminator's features: the mean of all scales, layers counted as if they were four.

    Args:
        made: with gradients.
        real: of the pictures that should have been made; nothing is learned from them.
        weight: of the whole.
    """
    return weight * _LAYERS * torch.stack([layers.mean() for layers in features_apart(made, real)]).mean()


def features_apart(made: Sequence[Judgement], real: Sequence[Judgement]) -> list[Tensor]:
    """Of every scale (L,): the L1 distance of each layer's features; the real ones get no gradients."""
    return [
        torch.stack(
            [
                functional.l1_loss(mine.float(), yours.detach().float())
                for mine, yours in zip(one.features, other.features, strict=True)
            ]
        )
        for one, other in zip(made, real, strict=True)
    ]


def _distances(scores: Sequence[Tensor], label: float) -> list[Tensor]:
    return [(score.float() - label).square().mean() for score in scores]
