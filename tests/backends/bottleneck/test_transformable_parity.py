"""Sampler, rotations, lift, occupancy and networks beside recordings of the nearest public code.

The transformable bottleneck network is put together from our modules (`transformable.py`) and given the weights of the
record. Its sampler loses the last plane of every axis, by choice not ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from tests.backends.bottleneck.transformable import (
    Shown,
    Transformable,
    backward_places,
    moved_by,
    official_name,
    quirky,
    turn,
)
from tests.reference_weights import fill, official_shapes, record, rule_of
from torch import Tensor

from retarget_cli.backends.bottleneck.sampling import lattice, sampled
from retarget_cli.backends.bottleneck.volumes import dropped, lifted

# Of two networks of some forty layers each; and of features of up to 7 that were kept in half precision.
TIGHT, HALF = 2e-5, 3e-3
# What else the occupancy's tensors are called.
AGAIN = ("seg_conv_3d.", "seg_conv_3d_combine.")
# The recorded views: elevation of the target, azimuth from there, elevation of the source; degrees.
VIEWS = ((20, 40, 0), (20, 70, 10))


@dataclass(frozen=True)
class Recorded:
    arrays: dict[str, Tensor]
    rules: list[dict[str, Any]]


def recorded(name: str) -> Recorded:
    arrays, rules = record(name)
    return Recorded(
        {k: torch.from_numpy(v).float() for k, v in arrays.items() if v.dtype.kind == "f" and v.ndim}, rules
    )


@pytest.fixture(scope="module")
def tbn() -> Recorded:
    return recorded("tbn")


@pytest.fixture(scope="module")
def shown(tbn: Recorded) -> Shown:
    network = Transformable().eval()
    own, shapes = network.state_dict(), official_shapes("tbn_160_vol40")
    names = {official_name(name): name for name in own}
    assert len(names) == len(own)
    assert {theirs: tuple(own[ours].shape) for theirs, ours in names.items()} == shapes
    drawn = fill(shapes, **rule_of(tbn.rules, "TBN"))
    # Of two names of one tensor the record has the first one's parameters, and the last one's running statistics.
    again = [name for name in drawn if name.startswith(AGAIN) and "running" not in name]
    taken = {names[name]: drawn[name] for name in drawn if name not in again}
    assert not network.load_state_dict(taken, strict=False).unexpected_keys
    with torch.inference_mode():
        return network([tbn.arrays["rgb0"], tbn.arrays["rgb1"]], [turn(*view) for view in VIEWS])


def close(found: Tensor, wanted: Tensor, tolerance: float) -> None:
    torch.testing.assert_close(found, wanted, atol=tolerance, rtol=0)


def test_sampler(tbn: Recorded) -> None:
    volume, wanted = tbn.arrays["vol_in"], tbn.arrays["sampled"]
    depth, height, width = volume.shape[2:]
    places = moved_by([tbn.arrays[f"off_{axis}"] for axis in "xyz"], (depth, height, width))
    found = sampled(volume, places)
    close(quirky(volume, places), wanted, 1e-5)
    agree = ((found - wanted).abs() < 1e-5).all(1)
    assert agree.float().mean() > 0.6, "beyond the last planes theirs is empty, and only there"
    assert wanted.movedim(1, -1)[~agree].abs().max() == 0


def test_identity_is_exact_but_for_their_last_planes(tbn: Recorded) -> None:
    volume, wanted = tbn.arrays["vol_in"], tbn.arrays["identity"]
    depth, height, width = volume.shape[2:]
    found = sampled(volume, lattice((depth, height, width), volume).expand(2, -1, -1, -1, -1))
    close(found, volume, 1e-5)
    close(found[..., :-1, :-1, :-1], wanted[..., :-1, :-1, :-1], 1e-5)
    assert all(wanted.select(axis, -1).abs().max() == 0 for axis in (2, 3, 4))


@pytest.mark.parametrize(("row", "angles"), [(0, (0, 30, 10)), (1, (20, -20, 0))])
def test_rotation_turns_their_way(tbn: Recorded, row: int, angles: tuple[float, float, float]) -> None:
    wanted = moved_by([tbn.arrays[f"flow_{axis}"][row : row + 1] for axis in "xyz"], (12, 12, 12))
    close(backward_places(turn(*angles), 12), wanted, 1e-5)
    assert (backward_places(turn(angles[0], -angles[1], angles[2]), 12) - wanted).abs().max() > 0.3


def test_volumes_out_of_the_picture(tbn: Recorded, shown: Shown) -> None:
    """The encoder, how features are lifted, the three-dimensional units, and the warp."""
    wanted = tbn.arrays["enc_warped_ch0"]
    assert wanted.abs().max() > 5
    close(shown.warped[0][:, :2], wanted, HALF)


def test_occupancy_and_masks(tbn: Recorded, shown: Shown) -> None:
    close(shown.occupancy, tbn.arrays["occ_vol"], TIGHT)
    close(shown.mask, tbn.arrays["seg_tgt3"], TIGHT)
    close(shown.source_masks[0], tbn.arrays["seg_src3_0"], TIGHT)
    close(shown.flat_masks[0], tbn.arrays["seg2_0"], TIGHT)


def test_picture_of_two_views(tbn: Recorded, shown: Shown) -> None:
    close(shown.picture, tbn.arrays["out"], TIGHT)


def test_lift_counts_planes_before_features() -> None:
    flat = torch.arange(24.0).reshape(1, 24, 1, 1)
    assert lifted(flat, 4)[0, 2, :, 0, 0].tolist() == [8, 9, 10, 11]
    assert torch.equal(dropped(lifted(flat, 4)), flat)


def test_flow_of_the_free_view_code() -> None:
    """The warp of its volumes as it is read today; and under the older reading, with places rescaled."""
    arrays = recorded("fvv").arrays
    volume, grid = arrays["v"], arrays["g"]
    close(sampled(volume, grid), arrays["gs3d_ac0_border"], 1e-5)
    sides = torch.tensor(volume.shape[:1:-1])
    close(sampled(volume, grid * (sides - 1) / sides), arrays["gs3d_ac1_border"], 1e-5)
    assert (arrays["gs3d_ac0_border"] - arrays["gs3d_ac1_border"]).abs().max() > 0.01
