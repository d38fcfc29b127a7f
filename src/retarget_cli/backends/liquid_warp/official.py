"""iPERCore's checkpoints: its names of tensors and ours, one to one.

A table is made from rules for modules; `weight` and `bias` are called the same on both sides, and so are all shapes.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from retarget_cli.backends.liquid_warp.discriminator import Discriminator
from retarget_cli.backends.liquid_warp.generator import Design, Generator, Strategy
from retarget_cli.backends.liquid_warp.options import described
from retarget_cli.backends.trainable import Phase
from retarget_cli.weights.importing import Recogniser

ORIGIN = "https://github.com/iPERDance/iPERCore"
LICENSE = "Apache-2.0 (iPERCore's own; its authors name no other for the weights)"
# iPERCore's words for the ways in which source features are propagated.
STRATEGIES: Mapping[str, Strategy] = {
    "AttLWB-SPADE": "attention",
    "AddLWB": "add",
    "AvgLWB": "mean",
    "SoftGateAddLWB": "gated-add",
    "SoftGateAvgLWB": "gated-mean",
}

_LEVELS = 3  # of the encoders of the identity and transfer streams
_RESIDUAL = {"first": "main.0", "second": "main.2"}
# The background stream normalizes, and so counts one more layer between the two.
_NORMALIZED = {"first": "main.0", "second": "main.3"}
_BLOCK = {
    "query": "fq",
    "key": "fk",
    "value": "fv",
    "spade.shared": "spade.mlp_shared.0",
    "spade.scale": "spade.mlp_gamma",
    "spade.shift": "spade.mlp_beta",
    "gate.0": "gate_conv.0",
    "gate.2": "gate_conv.2",
}
_JUDGES = {"whole": "global_model", "body": "body_model", "head": "head_model", "background": "bg_model"}
_JUDGE_LAYERS = (0, 2, 5, 8, 11, 14)


def recognisers() -> tuple[Recogniser, ...]:
    """Generators of every strategy, to be imported; discriminators, to be told apart."""
    return (
        *(_generator(official, strategy) for official, strategy in STRATEGIES.items()),
        *(_discriminator(phase) for phase in Phase),
    )


def generator_names(generator: Generator) -> dict[str, str]:
    """iPERCore's name of every tensor -> ours."""
    return _table(generator, _generator_modules(generator.design.depth))


def discriminator_names(discriminator: Discriminator) -> dict[str, str]:
    """iPERCore's name of every tensor -> ours."""
    modules: dict[str, str] = {}
    for ours, theirs in _JUDGES.items():
        *layers, score = _JUDGE_LAYERS
        modules |= {f"{ours}.layers.{row}": f"{theirs}.model.{place}" for row, place in enumerate(layers)}
        modules[f"{ours}.score"] = f"{theirs}.model.{score}"
    return _table(discriminator, modules)


def _table(network: nn.Module, modules: Mapping[str, str]) -> dict[str, str]:
    names = {}
    for ours in network.state_dict():
        module, _, leaf = ours.rpartition(".")
        names[f"{modules[module]}.{leaf}"] = ours
    return names


def _generator_modules(depth: int) -> dict[str, str]:
    """Our modules -> iPERCore's."""
    return {**_background_modules(depth), **_identity_modules(depth), **_transfer_modules(depth)}


def _background_modules(depth: int) -> dict[str, str]:
    """One sequence: convolution, norm and ReLU count 3, a residual block 1."""
    modules = {f"background.encoder.{row}": f"bg_net.main.{3 * row}" for row in range(_LEVELS + 1)}
    place = 3 * (_LEVELS + 1)
    modules |= _joined("background.residual", "bg_net.main", range(depth), _NORMALIZED, place)
    place += depth
    modules |= {f"background.decoder.{row}": f"bg_net.main.{place + 3 * row}" for row in range(_LEVELS)}
    modules["background.colour"] = f"bg_net.main.{place + 3 * _LEVELS}"
    return modules


def _identity_modules(depth: int) -> dict[str, str]:
    modules = {"identity.head.colour": "src_net.img_reg.0", "identity.head.mask": "src_net.att_reg.0"}
    for row in range(_LEVELS):
        modules[f"identity.encoder.{row}"] = f"src_net.encoders.layers.{row}.0"
        modules[f"identity.decoder.{row}"] = f"src_net.decoders.layers.{row}.0"
    return modules | _joined("identity.residual", "src_net.res_blocks", range(depth), _RESIDUAL)


def _transfer_modules(depth: int) -> dict[str, str]:
    modules = {"transfer.head.colour": "tsf_img_reg.0", "transfer.head.mask": "tsf_att_reg.0"}
    for row in range(_LEVELS):
        modules[f"transfer.encoder.{row}"] = f"tsf_net_enc.layers.{row}.0"
        modules[f"transfer.decoder.{row}"] = f"tsf_net_dec.upconvs.{row}.0"
    for row in range(_LEVELS - 1):
        modules[f"transfer.merge.{row}"] = f"tsf_net_dec.skippers.{row}.0"
    return {
        **modules,
        **_joined("transfer.residual", "res_blocks", range(depth), _RESIDUAL),
        **_joined("transfer.blocks", "enc_attlwbs", range(_LEVELS), _BLOCK),
        **_joined("transfer.blocks", "res_attlwbs", range(_LEVELS, _LEVELS + depth), _BLOCK, -_LEVELS),
    }


def _joined(ours: str, theirs: str, rows: range, parts: Mapping[str, str], shift: int = 0) -> dict[str, str]:
    """Repeated blocks: their parts, and how much further on they stand in iPERCore's list."""
    return {
        f"{ours}.{row}.{part}": f"{theirs}.{row + shift}.{theirs_part}"
        for row in rows
        for part, theirs_part in parts.items()
    }


def _generator(official: str, strategy: Strategy) -> Recogniser:
    with torch.device("meta"):
        network = Generator(Design(strategy))
    return Recogniser(
        official,
        f"iPERCore's generator {official}",
        "liquid-warp",
        generator_names(network),
        {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()},
        described(network.design),
        LICENSE,
        ORIGIN,
    )


def _discriminator(phase: Phase) -> Recogniser:
    with torch.device("meta"):
        network = Discriminator(phase)
    return Recogniser(
        f"discriminator-{phase.value}",
        f"iPERCore's discriminator of {'personalisation' if phase is Phase.PERSONALIZE else 'training'}",
        "liquid-warp",
        discriminator_names(network),
        {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()},
        {},
        LICENSE,
        ORIGIN,
        refusal="only generators are imported: name the file ending in _id_G.pth beside it",
    )
