"""Texture alignment (equations 12 and 13): each place of the person made takes what is like it from the source."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# Numbers of the affinity that are in memory at a time, at least one column: 64 MB.
_MOST = 1 << 24


def texture_aligned(source: Tensor, made: Tensor, most: int = _MOST) -> Tensor:
    """(B, C, h, w): H_1 A + H_2, with A = softmax of cosines over the source's places, for each place made.

    The affinity of all places with all others is never whole in memory: its columns, one a place made, do not depend on
    each other.

    Args:
        source: (B, C, h', w'), F_1 of the aligned source; H_1.
        made: (B, C, h, w), F_2 of the coarse person; H_2.
        most: numbers of the affinity at a time.
    """
    batch, _, height, width = made.shape
    values, wanted = source.flatten(2), made.flatten(2)
    # Cosines are taken in full precision: under autocast too they decide which place is taken.
    with torch.autocast(made.device.type, enabled=False):
        keys, queries = functional.normalize(values.float(), dim=1), functional.normalize(wanted.float(), dim=1)
        step = max(1, most // (batch * values.shape[2]))
        columns = (queries[..., at : at + step] for at in range(0, queries.shape[2], step))
        found = [values.float() @ (keys.transpose(1, 2) @ part).softmax(1) for part in columns]
    gathered = found[0] if len(found) == 1 else torch.cat(found, 2)
    return made + gathered.to(made.dtype).reshape(batch, -1, height, width)
