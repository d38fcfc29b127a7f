"""Released checkpoints of the first order model and of articulated animation: their names of tensors and ours.

Both are dictionaries of state dicts by the name of the network, with optimizers and an opponent beside them that are of
no use here. `weights.nested` makes one state dict of them; the names below begin with the network's. They are one to
one, and shapes are equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from retarget_cli.backends.self_appearance.articulated import Articulated, ArticulatedDesign
from retarget_cli.backends.self_appearance.dense_motion import MotionDesign
from retarget_cli.backends.self_appearance.discriminator import Discriminator
from retarget_cli.backends.self_appearance.first_order import FirstOrder, FirstOrderDesign
from retarget_cli.backends.self_appearance.generator import GeneratorDesign
from retarget_cli.backends.self_appearance.keypoints import DetectorDesign
from retarget_cli.backends.self_appearance.sampling import ARTICULATED_ALIGN_CORNERS, FIRST_ORDER_ALIGN_CORNERS
from retarget_cli.backends.words import yes_or_no
from retarget_cli.core.errors import WeightsError
from retarget_cli.weights.importing import Recogniser

FIRST_ORDER, ARTICULATED = "first-order", "articulated"
FIRST_ORDER_ORIGIN = "https://github.com/AliaksandrSiarohin/first-order-model"
FIRST_ORDER_LICENSE = "MIT (the code's; its authors name no other for the weights)"
ARTICULATED_ORIGIN = "https://github.com/snap-research/articulated-animation"
ARTICULATED_LICENSE = "none granted: published for information only by Snap Inc."

# The words that a design is kept by.
COUNT, JACOBIANS, AVD, ALIGN = "keypoints", "jacobian_maps", "avd", "align_corners"
BACKGROUND, RESOLUTION = "background", "resolution"
# Pixels a side of what most were trained with; nothing in a file tells it. And of keypoints at most.
_USUAL, _MOST = "256", 100
# Of adversarial training; nothing is made with it.
_OPPONENT = "discriminator."
_COUNTER = "num_batches_tracked"

Rules = Sequence[tuple[str, str]]

# Ours -> theirs: patterns of the beginning of a name; the first that fits is replaced.
_HOURGLASS: Rules = (
    (r"hourglass\.encoder\.(\d+)\.", r"{}.encoder.down_blocks.\1."),
    (r"hourglass\.decoder\.(\d+)\.", r"{}.decoder.up_blocks.\1."),
    (r"reduction\.kernel", "down.weight"),
)
_DETECTOR: Rules = (*_HOURGLASS, (r"heat\.", "kp."), (r"jacobian\.", "jacobian."))
_REGIONS: Rules = (*_HOURGLASS, (r"heat\.", "regions."))
_MOTION: Rules = (*_HOURGLASS, (r"coefficients\.", "mask."), (r"occlusion\.", "occlusion."))
_GENERATOR: Rules = (
    (r"first\.", "first."),
    (r"(down|up)\.(\d+)\.", r"\1_blocks.\2."),
    (r"residual\.(\d+)\.first_norm\.", r"bottleneck.r\1.norm1."),
    (r"residual\.(\d+)\.second_norm\.", r"bottleneck.r\1.norm2."),
    (r"residual\.(\d+)\.first\.", r"bottleneck.r\1.conv1."),
    (r"residual\.(\d+)\.second\.", r"bottleneck.r\1.conv2."),
    (r"colour\.", "final."),
)
_BACKGROUND: Rules = ((r"encoder\.(\d+)\.", r"encoder.down_blocks.\1."), (r"affine\.", "fc."))
_AVD: Rules = ((r"(identity|pose)\.", r"\1_encoder."), (r"decoder\.", "decoder."))
# A convolution whose spectral norm is kept.
_SPECTRAL: Rules = (
    (r"(.*\.)parametrizations\.weight\.original$", r"\1weight_orig"),
    (r"(.*\.)parametrizations\.weight\.0\._([uv])$", r"\1weight_\2"),
)


@dataclass(frozen=True)
class Released(Recogniser):
    """A checkpoint of several networks: what is of no use is passed over, and counters may be there or not.

    Attributes:
        heat: its name of the bias of the heat maps, which is as long as there are keypoints or regions.
        of: the same form with another count of them.
    """

    heat: str = ""
    of: Callable[[int], Released] | None = None

    def fitted(self, state: Mapping[str, Tensor]) -> Recogniser:
        """See `Recogniser`."""
        count = state[self.heat].numel() if self.heat in state else 0
        is_other = 1 <= count <= _MOST and count != self.shapes[self.names[self.heat]][0]
        return self.of(count) if self.of is not None and is_other else self

    def faults(self, state: Mapping[str, Tensor]) -> list[str]:
        """See `Recogniser`."""
        return super().faults(_useful(state))

    def convert(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Recogniser`."""
        useful = _useful(state)
        for name, tensor in useful.items():
            is_number = tensor.is_floating_point() or name.endswith(_COUNTER)
            if not is_number or not bool(torch.isfinite(tensor).all()):
                raise WeightsError(
                    f"{self.title}: {name} holds values that are not finite floats", "get the file again"
                )
        return {self.names[name]: tensor for name, tensor in useful.items()}


def recognisers() -> tuple[Recogniser, ...]:
    """Both models in the forms that were released, with as many keypoints as most of them have."""
    return (
        _first_order(10),
        _first_order(10, is_shared=True),
        *(
            _articulated(10, has_background=background, has_avd=avd)
            for background in (True, False)
            for avd in (False, True)
        ),
    )


def _first_order(count: int, is_shared: bool = False) -> Released:
    jacobians = 1 if is_shared else count
    with torch.device("meta"):
        design = FirstOrderDesign(DetectorDesign(count, jacobians=jacobians), MotionDesign(count=count))
        network = FirstOrder(design)
    words = {
        COUNT: str(count),
        JACOBIANS: str(jacobians),
        ALIGN: yes_or_no(FIRST_ORDER_ALIGN_CORNERS),
        RESOLUTION: _USUAL,
    }
    return Released(
        FIRST_ORDER + ("-shared" if is_shared else ""),
        "the first order model" + (" with one Jacobian map for all keypoints" if is_shared else ""),
        FIRST_ORDER,
        first_order_names(network),
        _shapes(network),
        words,
        FIRST_ORDER_LICENSE,
        FIRST_ORDER_ORIGIN,
        heat="kp_detector.kp.bias",
        of=partial(_first_order, is_shared=is_shared),
    )


def _articulated(count: int, has_background: bool, has_avd: bool) -> Released:
    with torch.device("meta"):
        design = ArticulatedDesign(
            DetectorDesign(count, jacobians=0), MotionDesign("articulated", count), GeneratorDesign(), has_avd,
            has_background,
        )  # fmt: skip
        network = Articulated(design)
    words = {
        COUNT: str(count),
        AVD: yes_or_no(has_avd),
        BACKGROUND: yes_or_no(has_background),
        ALIGN: yes_or_no(ARTICULATED_ALIGN_CORNERS),
        RESOLUTION: _USUAL,
    }
    return Released(
        ARTICULATED + ("" if has_background else "-still") + ("-avd" if has_avd else ""),
        "articulated animation"
        + ("" if has_background else ", its background still")
        + (", with AVD" if has_avd else ""),
        ARTICULATED,
        articulated_names(network),
        _shapes(network),
        words,
        ARTICULATED_LICENSE,
        ARTICULATED_ORIGIN,
        heat="region_predictor.regions.bias",
        of=partial(_articulated, has_background=has_background, has_avd=has_avd),
    )


def _shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def _useful(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in state.items() if not name.startswith(_OPPONENT)}


def detector_names(network: nn.Module) -> dict[str, str]:
    """The first order model's `kp_detector`: its name of every tensor -> ours."""
    return _table(network, _DETECTOR, "predictor")


def region_names(network: nn.Module) -> dict[str, str]:
    """Articulated animation's `region_predictor`: its name of every tensor -> ours."""
    return _table(network, _REGIONS, "predictor")


def motion_names(network: nn.Module) -> dict[str, str]:
    """The motion network inside either `generator`: its name of every tensor, without its own prefix there -> ours."""
    return _table(network, _MOTION, "hourglass")


def generator_names(network: nn.Module) -> dict[str, str]:
    """Either `generator` without its motion network: its name of every tensor -> ours."""
    return _table(network, _GENERATOR)


def background_names(network: nn.Module) -> dict[str, str]:
    """Articulated animation's `bg_predictor`: its name of every tensor -> ours."""
    return _table(network, _BACKGROUND)


def avd_names(network: nn.Module) -> dict[str, str]:
    """Articulated animation's `avd_network`: its name of every tensor -> ours."""
    return {theirs.replace("identity_", "id_", 1): ours for theirs, ours in _table(network, _AVD).items()}


def discriminator_names(network: Discriminator) -> dict[str, str]:
    """The first order model's `discriminator`: its name of every tensor -> ours."""
    scales = [f"{1 / step:g}".replace(".", "-") for step in network.design.steps]
    names = {}
    for ours in network.state_dict():
        _, row, inside = ours.split(".", 2)
        plain = _renamed(inside, _SPECTRAL, "") or inside
        plain = plain.replace("layers.", "down_blocks.", 1).replace("score.", "conv.", 1)
        names[f"discs.{scales[int(row)]}.{plain}"] = ours
    return names


def first_order_names(network: FirstOrder) -> dict[str, str]:
    """A checkpoint's name of every tensor, flattened -> ours."""
    return {
        **_placed(detector_names(network.detector), "kp_detector.", "detector."),
        **_placed(motion_names(network.motion), "generator.dense_motion_network.", "motion."),
        **_placed(generator_names(network.generator), "generator.", "generator."),
    }


def articulated_names(network: Articulated) -> dict[str, str]:
    """A checkpoint's name of every tensor, flattened -> ours."""
    names = {
        **_placed(region_names(network.regions), "region_predictor.", "regions."),
        **_placed(background_names(network.background), "bg_predictor.", "background."),
        **_placed(motion_names(network.motion), "generator.pixelwise_flow_predictor.", "motion."),
        **_placed(generator_names(network.generator), "generator.", "generator."),
    }
    if network.avd is not None:
        names |= _placed(avd_names(network.avd), "avd_network.", "avd.")
    return names


def _table(network: nn.Module, rules: Rules, hourglass: str = "") -> dict[str, str]:
    names = {}
    for ours in network.state_dict():
        theirs = _renamed(ours, rules, hourglass)
        if theirs is None:
            raise ValueError(f"no rule names {ours}")
        names[theirs] = ours
    return names


def _renamed(name: str, rules: Rules, hourglass: str) -> str | None:
    for pattern, theirs in rules:
        renamed, count = re.subn(rf"\A{pattern}", theirs.replace("{}", hourglass), name)
        if count:
            return renamed
    return None


def _placed(names: Mapping[str, str], theirs: str, ours: str) -> dict[str, str]:
    return {theirs + name: ours + own for name, own in names.items()}
