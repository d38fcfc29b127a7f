"""What the generator owes beyond the recorded original's pictures, which its official names are tested with."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.reference_weights import fill, official_shapes, record
from torch import Tensor
from torch.nn import functional

from retarget_cli.backends.liquid_warp.blocks import AddBlock, AttentionBlock, GatedBlock, MeanBlock
from retarget_cli.backends.liquid_warp.generator import STRATEGIES, Design, Generator, overlapped, resized_flow
from retarget_cli.backends.liquid_warp.official import STRATEGIES as OFFICIAL
from retarget_cli.backends.liquid_warp.official import generator_names

TOLERANCE = 5e-5

pytestmark = pytest.mark.usefixtures("no_gradients")


def official(name: str) -> Generator:
    generator = Generator(Design(OFFICIAL[name])).eval()
    names = generator_names(generator)
    values = fill(official_shapes(f"iper_{name}"), 0, 0.6)
    generator.load_state_dict({names[key]: value for key, value in values.items()})
    return generator


class Recorded:
    def __init__(self) -> None:
        self.arrays, _ = record("iper_gen")
        self.sources, self.targets = self.tensor("src"), self.tensor("tsf")[0]
        self.flows = self.tensor("Tst")[0]

    def tensor(self, name: str) -> Tensor:
        return torch.from_numpy(self.arrays[name])


@pytest.fixture(scope="module")
def recorded() -> Recorded:
    return Recorded()


@pytest.mark.shared
def test_the_frame_before_may_be_one_more_source(recorded: Recorded) -> None:
    """The original's temporal form; the record feeds it warped colours in the condition's place."""
    generator = official("AttLWB-SPADE")
    features = generator.identity.encode(recorded.sources[0])
    image, mask = generator.transfer(recorded.targets[:1], recorded.sources, features, recorded.flows[:1])
    before = torch.cat([image * (1 - mask), recorded.targets[:1, :3]], 1)
    features = [torch.cat(pair) for pair in zip(features, generator.identity.encode(before), strict=True)]
    flows = torch.cat([recorded.flows[1:], recorded.tensor("Ttt")[:, :1]], 1)
    sources = torch.cat([recorded.sources, before[None]], 1)
    image, mask = generator.transfer(recorded.targets[1:], sources, features, flows)
    assert (image - recorded.tensor("AttLWB-SPADE.temporal.tsf_img")[0, 1:]).abs().max() < TOLERANCE
    assert (mask - recorded.tensor("AttLWB-SPADE.temporal.tsf_mask")[0, 1:]).abs().max() < TOLERANCE


def batch(sources: int, height: int = 32, width: int = 48) -> dict[str, Tensor]:
    noise = torch.Generator().manual_seed(0)
    grid = functional.affine_grid(torch.eye(2, 3)[None], [1, 1, height, width], align_corners=False)
    return {
        "sources": torch.randn(2, sources, 6, height, width, generator=noise),
        "flows": grid[:, None].repeat(2, sources, 1, 1, 1),
        "target_input": torch.randn(2, 6, height, width, generator=noise),
        "background_input": torch.randn(2, 4, height, width, generator=noise),
    }


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("sources", [1, 3])
def test_any_number_of_sources_and_any_shape(strategy: str, sources: int) -> None:
    torch.manual_seed(1)
    generator = Generator(Design(strategy, 4, 1))  # type: ignore[arg-type]
    made = generator(batch(sources))
    assert made.image.shape == (2, 3, 32, 48)
    assert made.mask.shape == (2, 1, 32, 48)
    assert made.source_image.shape == (2, sources, 3, 32, 48)
    assert made.background is not None
    assert made.background.shape == (2, 3, 32, 48)
    assert made.mask.min() >= 0
    assert made.mask.max() <= 1


def test_without_a_background_stream_none_is_made() -> None:
    assert Generator(Design(width=4, depth=1, has_background=False))(batch(1)).background is None


@pytest.mark.parametrize("strategy", ["attention", "add", "mean", "gated-add", "gated-mean", "texture"])
def test_sources_matter_where_flow_leads_to_them_alone(strategy: str) -> None:
    torch.manual_seed(1)
    generator = Generator(Design(strategy, 4, 1)).eval()  # type: ignore[arg-type]
    given = batch(1)
    given["flows"][..., :24, :] = -2.0  # the left half leads nowhere
    other = {**given, "sources": given["sources"].flip(-1)}
    first, second = generator(given), generator(other)
    assert (first.image - second.image).abs()[..., 36:].max() > 1e-3
    nowhere = torch.full_like(given["flows"], -2.0)
    first, second = generator({**given, "flows": nowhere}), generator({**other, "flows": nowhere})
    assert (first.image - second.image).abs().max() < 1e-6


def test_one_subject_serves_a_window_of_frames() -> None:
    torch.manual_seed(1)
    generator = Generator(Design(width=4, depth=1)).eval()
    given = batch(2)
    features = generator.identity.encode(given["sources"][0])
    together, _ = generator.transfer(given["target_input"], given["sources"][:1], features, given["flows"])
    for row in range(2):
        at = slice(row, row + 1)
        alone, _ = generator.transfer(given["target_input"][at], given["sources"][:1], features, given["flows"][at])
        np.testing.assert_allclose(together[at], alone, atol=1e-5)


def test_attention_prefers_the_source_that_is_like_the_query() -> None:
    block = AttentionBlock(2, 4)
    for layer in (block.query, block.key, block.value):
        layer.weight.copy_(torch.eye(2)[..., None, None])
        layer.bias.zero_()
    x = torch.tensor([30.0, 0.0]).reshape(1, 2, 1, 1)
    warped = torch.stack([torch.tensor([5.0, 1.0]), torch.tensor([-5.0, 2.0])]).reshape(1, 2, 2, 1, 1)
    np.testing.assert_allclose(block.attended(x, warped).flatten(), [5, 1], atol=1e-4)
    even = block.attended(torch.zeros(1, 2, 1, 1), warped)
    np.testing.assert_allclose(even.flatten(), [0, 1.5], atol=1e-6)


def test_sums_and_means_by_hand() -> None:
    x, warped = torch.full((1, 2, 1, 1), 3.0), torch.tensor([1.0, 2.0]).reshape(1, 2, 1, 1, 1).expand(1, 2, 2, 1, 1)
    assert AddBlock()(x, warped).flatten().tolist() == [6, 6]
    assert MeanBlock()(x, warped).flatten().tolist() == [2, 2]
    gate = GatedBlock(2, is_mean=True)
    for layer in (gate.gate[0], gate.gate[2]):
        layer.weight.zero_()
        layer.bias.zero_()
    assert gate(x, warped).flatten().tolist() == [3.75, 3.75]  # 3 + 0.5 * 1.5


def test_flow_at_its_own_size_stays() -> None:
    flow = batch(1)["flows"][:, 0]
    assert resized_flow(flow, 32, 48) is flow
    assert resized_flow(flow, 16, 24).shape == (2, 16, 24, 2)


def test_textures_are_averaged_where_they_overlap() -> None:
    given = batch(2)
    pictures = torch.stack([torch.full((2, 3, 32, 48), 1.0), torch.full((2, 3, 32, 48), 3.0)], 1)
    flows = given["flows"].clone()
    flows[:, 1, :, :24] = -2
    made = overlapped(pictures, flows)
    np.testing.assert_allclose(made[0, 0, 16, 12], 1, atol=1e-6)
    np.testing.assert_allclose(made[0, 0, 16, 36], 2, atol=1e-6)
