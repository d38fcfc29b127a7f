"""Published names and ours: one to one, shapes equal, for every network that was listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.networks.published import FACE, FINE, FOREGROUND
from tests.reference_weights import official_shapes
from torch import nn

from retarget_cli.networks import official_names as names
from retarget_cli.networks.composite_generator import CompositeDesign, CompositeGenerator
from retarget_cli.networks.multiscale_discriminator import MultiscaleDiscriminator, ScaleDiscriminator
from retarget_cli.networks.residual_generator import EnhancedGenerator, ResidualGenerator, TrunkDesign

PARSER = CompositeDesign((12, 9, 24), (1, 2), 12, "softmax")
COMPOSER = CompositeDesign((13, 48, 6), (1, 2), has_mask=True)
Form = tuple[Callable[[], nn.Module], Callable[[Any], dict[str, str]]]
FORMS: dict[str, Form] = {
    "pix2pixhd_G": (lambda: ResidualGenerator(3), names.global_names),
    "pix2pixhd_L": (lambda: EnhancedGenerator(3), names.enhancer_names),
    "pix2pixhd_D": (lambda: MultiscaleDiscriminator(6), names.discriminator_names),
    "pix2pixhd_D3": (lambda: MultiscaleDiscriminator(6, 3), names.discriminator_names),
    "edn_G_global": (lambda: ResidualGenerator(6), names.global_names),
    "edn_G_face": (lambda: ResidualGenerator(6, design=FACE), names.global_names),
    "edn_D": (lambda: MultiscaleDiscriminator(12), names.discriminator_names),
    "edn_D_face": (lambda: ScaleDiscriminator(6, norm="batch"), names.face_discriminator_names),
    "vid2vid_G0_ngf64": (lambda: CompositeGenerator(CompositeDesign((18, 6))), names.composite_names),
    "vid2vid_G1_ngf32": (
        lambda: CompositeGenerator(CompositeDesign((18, 6), flow_scale=40, trunk=FINE)),
        lambda network: names.composite_names(network, names.VID2VID_FINE),
    ),
    "vid2vid_D_numD2": (lambda: MultiscaleDiscriminator(9, norm="batch"), names.discriminator_names),
    "vid2vid_D_T0": (lambda: MultiscaleDiscriminator(13, norm="batch"), names.discriminator_names),
    "c2f_parser": (
        lambda: CompositeGenerator(PARSER),
        lambda network: names.composite_names(network, names.C2F_PARSER),
    ),
    "c2f_composer": (
        lambda: CompositeGenerator(COMPOSER),
        lambda network: names.composite_names(network, names.C2F_COMPOSER),
    ),
}


def named(network: nn.Module, table: dict[str, str]) -> dict[str, tuple[int, ...]]:
    """Shapes under their names."""
    own = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    assert sorted(table.values()) == sorted(own)
    return {theirs: own[ours] for theirs, ours in table.items()}


@pytest.mark.parametrize("form", FORMS)
def test_names_and_shapes_are_the_published(form: str) -> None:
    build, table = FORMS[form]
    with torch.device("meta"):
        network = build()
    assert named(network, table(network)) == official_shapes(form)


def test_the_foreground_stands_beside_the_composite_generator() -> None:
    with torch.device("meta"):
        whole, alone = CompositeGenerator(CompositeDesign((18, 6))), ResidualGenerator(18, design=FOREGROUND)
    found = named(whole, names.composite_names(whole)) | named(alone, names.foreground_names(alone))
    assert found == official_shapes("vid2vid_G0_ngf64_fg")


@pytest.mark.parametrize("norm", ["instance", "batch"])
def test_other_designs_have_names_too(norm: Any) -> None:
    design = TrunkDesign(width=2, levels=2, before=1, after=2, norm=norm)
    with torch.device("meta"):
        generators: list[Form] = [
            (lambda: ResidualGenerator(3, 4, design), names.global_names),
            (lambda: EnhancedGenerator(3, 4, design), names.enhancer_names),
            (lambda: CompositeGenerator(CompositeDesign((1, 9), has_flow=False, trunk=design)), names.composite_names),
            (lambda: MultiscaleDiscriminator(3, 3, 4, 2, norm), names.discriminator_names),
        ]
        for build, table in generators:
            network = build()
            named(network, table(network))
