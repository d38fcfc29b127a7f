"""iPERCore's names and ours: one to one, with equal shapes, on both sides complete."""

from __future__ import annotations

import pytest
import torch
from tests.reference_weights import fill, official_shapes, record

from retarget_cli.backends.liquid_warp.discriminator import Discriminator
from retarget_cli.backends.liquid_warp.generator import STRATEGIES, Design, Generator
from retarget_cli.backends.liquid_warp.official import STRATEGIES as OFFICIAL
from retarget_cli.backends.liquid_warp.official import discriminator_names, generator_names, recognisers
from retarget_cli.backends.trainable import Phase

FORMS = {each.name: each for each in recognisers()}
LISTS = {
    **{name: f"iper_{name}" for name in OFFICIAL},
    "discriminator-personalize": "iper_D_patch_global",
    "discriminator-train": "iper_D_patch_global_body_head",
}


@pytest.mark.parametrize("name", LISTS)
def test_names_and_shapes_are_those_of_the_released_code(name: str) -> None:
    form = FORMS[name]
    assert {theirs: form.shapes[ours] for theirs, ours in form.names.items()} == official_shapes(LISTS[name])


@pytest.mark.parametrize("name", LISTS)
def test_names_are_one_to_one_and_all_of_ours(name: str) -> None:
    form = FORMS[name]
    assert len(set(form.names.values())) == len(form.names)
    assert set(form.names.values()) == set(form.shapes)
    assert not any(theirs == ours for theirs, ours in form.names.items())


def test_every_list_has_a_form_and_the_other_way_round() -> None:
    assert set(FORMS) == set(LISTS)
    assert len(set(OFFICIAL.values())) == len(OFFICIAL)
    assert set(STRATEGIES) - set(OFFICIAL.values()) == {"texture", "concatenation"}  # the paper's baselines


@pytest.mark.parametrize("depth", [1, 2, 6])
def test_other_depths_have_names_too(depth: int) -> None:
    with torch.device("meta"):
        generator = Generator(Design(width=4, depth=depth))
        opponents = Discriminator(Phase.TRAIN, width=2)
    for network, names in (
        (generator, generator_names(generator)),
        (opponents, discriminator_names(opponents)),
    ):
        assert set(names.values()) == set(network.state_dict())
        assert len(names) == len(network.state_dict())


def test_the_background_streams_last_layer_moves_with_its_depth() -> None:
    with torch.device("meta"):
        shallow, published = Generator(Design(depth=2)), Generator(Design())
    assert generator_names(published)["bg_net.main.27.weight"] == "background.colour.weight"
    assert generator_names(shallow)["bg_net.main.23.weight"] == "background.colour.weight"


def test_a_generator_without_a_background_stream() -> None:
    with torch.device("meta"):
        names = generator_names(Generator(Design(has_background=False)))
    assert not any(name.startswith("bg_net") for name in names)


def test_designs_say_how_to_build_the_network() -> None:
    assert FORMS["AttLWB-SPADE"].design == {
        "strategy": "attention",
        "width": "64",
        "depth": "6",
        "background_stream": "yes",
    }
    assert [form.name for form in FORMS.values() if form.refusal] == [
        "discriminator-train",
        "discriminator-personalize",
    ]


@pytest.mark.parametrize("name", OFFICIAL)
def test_converted_weights_give_the_released_codes_pictures(name: str) -> None:
    """Names of equal shapes, such as a scale and a shift, may be exchanged unnoticed by all of the above."""
    arrays, rules = record("iper_gen")
    form = FORMS[name]
    rule = {key: rules[0][key] for key in ("seed", "gain", "over", "prefix")}
    state = fill({theirs: form.shapes[ours] for theirs, ours in form.names.items()}, **rule)
    generator = Generator(Design(OFFICIAL[name])).eval()
    generator.load_state_dict(form.convert(state))
    given = {key: torch.from_numpy(arrays[key]).float() for key in ("bg", "src", "tsf", "Tst")}
    batch = {
        "sources": given["src"],
        "flows": given["Tst"][:, 0],
        "target_input": given["tsf"][:, 0],
        "background_input": given["bg"][:, 0],
    }
    with torch.inference_mode():
        made = generator(batch)
    pairs = [(made.image, f"{name}.tsf_img", 0), (made.mask, f"{name}.tsf_mask", 0)]
    if OFFICIAL[name] == "attention":
        assert made.background is not None
        pairs.append((made.background, f"{name}.bg", 0))
        pairs += [(made.source_image[:, row], f"{name}.src_img", row) for row in range(2)]
        pairs += [(made.source_mask[:, row], f"{name}.src_mask", row) for row in range(2)]
    for picture, key, row in pairs:
        torch.testing.assert_close(picture, torch.from_numpy(arrays[key][:, row]).float(), atol=5e-5, rtol=0)
