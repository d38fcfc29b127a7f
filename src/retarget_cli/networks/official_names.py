"""The published names of the tensors of residual and composite generators, and of their discriminators.

Networks of pix2pixHD, vid2vid and what was made of them are rows of layers: a convolution, its normalization and its
rectifier are three, a mirrored border is one, and names count them. Every table is one to one: their name -> ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from retarget_cli.networks.composite_generator import CompositeGenerator
from retarget_cli.networks.multiscale_discriminator import MultiscaleDiscriminator, ScaleDiscriminator
from retarget_cli.networks.residual_generator import EnhancedGenerator, ResidualGenerator, Trunk, TrunkDesign

Names = dict[str, str]
"""Of tensors: theirs -> ours."""
_Places = dict[str, str]
"""Of layers: ours -> theirs."""
# Layers of a convolution with what follows it, and of a stem, whose border comes first.
_UNIT, _STEM = 3, 4
# The place of each part of a residual block, whose border and rectifier count as well.
_BLOCK = {"first": 1, "first_norm": 2, "second": 5, "second_norm": 6}


@dataclass(frozen=True, slots=True)
class CompositeWords:
    """What a published composite generator calls its parts.

    Attributes:
        encoders: in our order.
        picture: the way to the raw picture.
        moving: the residual blocks before flow and mask.
        is_joined: whether residual blocks and what enlarges are one row.
    """

    encoders: tuple[str, ...] = ("seg", "img")
    picture: str = "img"
    moving: str = "flow"
    is_joined: bool = False


VID2VID = CompositeWords()
VID2VID_FINE = CompositeWords(is_joined=True)
C2F_PARSER = CompositeWords(("T", "S", "lo"), "lo")
C2F_COMPOSER = CompositeWords(("T", "S", "fg"), "fg", "sdfl")


def global_names(network: ResidualGenerator) -> Names:
    """Of pix2pixHD's global generator, and of others of its form: one row, `model`."""
    head = {"head.conv": f"model.{_length(network.trunk) + 1}"}
    return _table(network, _trunk("trunk.", "model", network.trunk) | head)


def enhancer_names(network: EnhancedGenerator) -> Names:
    """Of pix2pixHD's local enhancer: `model` without its head, `model1_1` before the sum, `model1_2` behind it."""
    design = network.fine.design
    behind = design.after + _UNIT * design.levels
    places = (
        _trunk("coarse.", "model", network.coarse)
        | _encoder("fine.encoder.", "model1_1", design)
        | _residuals("fine.decoder.residual", "model1_2", 0, design.after)
        | _ups("fine.decoder.up", "model1_2", design.after, design)
        | {"head.conv": f"model1_2.{behind + 1}"}
    )
    return _table(network, places)


def composite_names(network: CompositeGenerator, words: CompositeWords = VID2VID) -> Names:
    """Of vid2vid's generators, and of those made of them; the foreground's are another table."""
    trunk, picture = network.design.trunk, words.picture
    places = {"head.conv": f"model_final_{picture}.1", "mask_head.conv": "model_final_sd.1"}
    places |= {"flow_head.conv": "model_final_flow.1", "weight_head.conv": "model_final_w.1"}
    for number, word in enumerate(words.encoders):
        places |= _encoder(f"encoders.{number}.", f"model_down_{word}", trunk)
    kind, start = ("up", trunk.after) if words.is_joined else ("res", 0)
    places |= _residuals("appearance.residual", f"model_{kind}_{picture}", 0, trunk.after)
    places |= _residuals("motion", f"model_{kind}_{words.moving}", 0, trunk.after)
    places |= _ups("appearance.up", f"model_up_{picture}", start, trunk)
    places |= _ups("flow_up", "model_up_flow", start, trunk) | _ups("mask_up", "model_up_sd", 0, trunk)
    return _table(network, places)


def foreground_names(network: ResidualGenerator) -> Names:
    """Of the generator beside vid2vid's that makes the person alone: `indv_down`, `indv_res`, `indv_up`."""
    design = network.trunk.design
    places = (
        _encoder("trunk.encoder.", "indv_down", design)
        | _residuals("trunk.decoder.residual", "indv_res", 0, design.after)
        | _ups("trunk.decoder.up", "indv_up", 0, design)
        | {"head.conv": "indv_final.1"}
    )
    return _table(network, places)


def discriminator_names(network: MultiscaleDiscriminator) -> Names:
    """Of the discriminators at several sizes, theirs counted from the smallest."""
    places: _Places = {}
    for number, scale in enumerate(reversed(network.scales)):
        ours, theirs = f"scales.{len(network.scales) - 1 - number}.", f"scale{number}_layer"
        assert isinstance(scale, ScaleDiscriminator)
        last = len(scale.layers)
        places |= {f"{ours}layers.{level}": f"{theirs}{level}.0" for level in range(last)}
        places |= {f"{ours}norms.{level - 1}": f"{theirs}{level}.1" for level in range(1, last)}
        places |= {f"{ours}score": f"{theirs}{last}.0"}
    return _table(network, places)


def face_discriminator_names(network: ScaleDiscriminator) -> Names:
    """Of the one scale that judges faces, in one row: `facemodel`."""
    places = {"layers.0": "facemodel.0"}
    for level in range(1, len(network.layers)):
        at = _UNIT * level - 1
        places |= {f"layers.{level}": f"facemodel.{at}", f"norms.{level - 1}": f"facemodel.{at + 1}"}
    return _table(network, places | {"score": f"facemodel.{_UNIT * len(network.layers) - 1}"})


def _trunk(ours: str, theirs: str, trunk: Trunk) -> _Places:
    """A whole trunk in one row."""
    design = trunk.design
    middle = _STEM + _UNIT * design.levels + design.before
    return (
        _encoder(f"{ours}encoder.", theirs, design)
        | _residuals(f"{ours}decoder.residual", theirs, middle, design.after)
        | _ups(f"{ours}decoder.up", theirs, middle + design.after, design)
    )


def _length(trunk: Trunk) -> int:
    """Layers in a trunk's row."""
    return _STEM + 2 * _UNIT * trunk.design.levels + trunk.design.before + trunk.design.after


def _encoder(ours: str, theirs: str, design: TrunkDesign) -> _Places:
    places = {f"{ours}stem.conv": f"{theirs}.1", f"{ours}stem.norm": f"{theirs}.2"}
    for level in range(design.levels):
        places |= _unit(f"{ours}down.{level}", theirs, _STEM + _UNIT * level)
    return places | _residuals(f"{ours}residual", theirs, _STEM + _UNIT * design.levels, design.before)


def _residuals(ours: str, theirs: str, start: int, count: int) -> _Places:
    return {
        f"{ours}.{block}.{part}": f"{theirs}.{start + block}.conv_block.{place}"
        for block in range(count)
        for part, place in _BLOCK.items()
    }


def _ups(ours: str, theirs: str, start: int, design: TrunkDesign) -> _Places:
    places: _Places = {}
    for level in range(design.levels):
        places |= _unit(f"{ours}.{level}", theirs, start + _UNIT * level)
    return places


def _unit(ours: str, theirs: str, at: int) -> _Places:
    return {f"{ours}.conv": f"{theirs}.{at}", f"{ours}.norm": f"{theirs}.{at + 1}"}


def _table(network: nn.Module, places: Mapping[str, str]) -> Names:
    names = {}
    for ours in network.state_dict():
        layer, _, tensor = ours.rpartition(".")
        names[f"{places[layer]}.{tensor}"] = ours
    return names
