"""Similarities of persons, worked by hand with a pretended detector and a pretended network."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.weights.making import store_with
from torch import Tensor, nn

from retarget_cli.core.errors import WeightsError
from retarget_cli.core.subject import Image
from retarget_cli.metrics import identity
from retarget_cli.metrics.base import Frames, Info, Need
from retarget_cli.metrics.batches import normalized
from retarget_cli.metrics.crops import Box, box_of_mask, crops, remembering
from retarget_cli.metrics.identity import Comparison, Identities, IdentityDistance, Similarity
from retarget_cli.networks.classic import IMAGENET_DEVIATION, IMAGENET_MEAN
from retarget_cli.networks.inception_resnet import InceptionResnetV1
from retarget_cli.networks.osnet import OSNet

CPU = torch.device("cpu")
RED, GREEN, BLUE, NOBODY = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0)
YELLOW = (255, 255, 0)


def pictures(*colours: tuple[int, int, int], side: int = 8) -> Tensor:
    return torch.tensor(colours, dtype=torch.uint8)[:, :, None, None].expand(-1, 3, side, side)


def whole(picture: Image) -> Box | None:
    """Finds a person in everything that is not black."""
    return (0, 0, picture.shape[1], picture.shape[0]) if picture.any() else None


class MeanColour(nn.Module):
    """Embeds a picture as its colour: red and green are at right angles, yellow lies between them."""

    def forward(self, crops_: Tensor) -> Tensor:
        return crops_.mean(dim=(2, 3))


def identities() -> Identities:
    return Identities(whole, (4, 4), lambda found: found / 255, MeanColour(), 3, CPU)


def comparison(key: str, is_to_source: bool) -> Comparison:
    return Comparison(Info(key, key, "", True), is_to_source)


BOTH = (comparison("csim", True), comparison("body-cs", False))


def test_by_hand() -> None:
    frames = Frames(pictures(RED, YELLOW, BLUE), pictures(RED, GREEN, RED), source=pictures(RED))
    found = Similarity(BOTH, identities()).begin().score(frames)
    half = math.sqrt(0.5)
    assert found["csim"] == pytest.approx([1, half, 0], abs=1e-6)
    assert found["body-cs"] == pytest.approx([1, half, 0], abs=1e-6)
    assert found["csim"].dtype == np.float32


def test_several_pictures_of_the_source_are_averaged() -> None:
    frames = Frames(pictures(RED), source=pictures(RED, GREEN, NOBODY))
    assert Similarity(BOTH[:1], identities()).begin().score(frames)["csim"] == pytest.approx([0.5])


def test_without_a_target_the_source_takes_its_place() -> None:
    frames = Frames(pictures(RED, GREEN), source=pictures(RED))
    assert Similarity(BOTH[1:], identities()).begin().score(frames)["body-cs"] == pytest.approx([1, 0], abs=1e-6)


def test_to_lose_the_person_does_not_pay() -> None:
    """0 where only the rendered frame shows nobody; no value where there is nothing to compare with."""
    frames = Frames(pictures(NOBODY, RED, NOBODY), pictures(RED, NOBODY, NOBODY), source=pictures(RED))
    found = Similarity(BOTH, identities()).begin().score(frames)
    assert found["csim"] == pytest.approx([0, 1, 0])
    assert found["body-cs"][0] == 0
    assert np.isnan(found["body-cs"][1:]).all()


@pytest.mark.parametrize("source", [None, pictures(NOBODY)])
def test_no_source_no_value(source: Tensor | None) -> None:
    found = Similarity(BOTH[:1], identities()).begin().score(Frames(pictures(RED), source=source))
    assert np.isnan(found["csim"]).all()


def test_the_source_is_embedded_once_a_clip() -> None:
    seen = []

    def counting(picture: Image) -> Box | None:
        seen.append(picture)
        return whole(picture)

    metric = Similarity(BOTH[:1], Identities(counting, (4, 4), lambda found: found, MeanColour(), 3, CPU))
    scorer = metric.begin()
    for _ in range(3):
        scorer.score(Frames(pictures(RED, RED), source=pictures(RED)))
    assert len(seen) == 7
    metric.begin().score(Frames(pictures(RED), source=pictures(GREEN)))
    assert len(seen) == 9


def test_needs() -> None:
    assert Similarity(BOTH[:1], identities()).needs == {Need.SOURCE}
    assert Similarity(BOTH, identities()).needs == frozenset()


def test_sets_hold_only_frames_with_somebody() -> None:
    embedder = IdentityDistance(Info("body-fd", "Body-FD", "", False, is_set=True), identities()).begin()
    assert embedder.embed(pictures(RED, NOBODY, BLUE)).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert embedder.embed(pictures(NOBODY)).shape == (0, 3)


def test_crops_are_cut_at_the_border_and_brought_to_size() -> None:
    picture = torch.zeros(1, 3, 20, 30, dtype=torch.uint8)
    picture[:, :, 5:, 10:] = 200
    (found,) = crops(picture, lambda _: (10, 5, 99, 99), (6, 4))
    assert found is not None
    assert torch.allclose(found, torch.full((3, 6, 4), 200.0))
    assert crops(picture, lambda _: (40, 5, 99, 99), (6, 4)) == [None]


def test_a_picture_is_looked_at_once() -> None:
    seen = []

    def counting(picture: Image) -> Box | None:
        seen.append(picture)
        return whole(picture)

    find = remembering(counting)
    red, black = (np.full((4, 6, 3), value, dtype=np.uint8) for value in (200, 0))
    assert [find(picture) for picture in (red, black, red.copy(), black)] == [(0, 0, 6, 4), None] * 2
    assert len(seen) == 2
    assert find(red.reshape(6, 4, 3)) == (0, 0, 4, 6)
    for value in range(1, 140):
        find(np.full((4, 6, 3), value, dtype=np.uint8))
    find(black)
    assert len(seen) == 3 + 139 + 1


def test_pictures_are_normalized_as_imagenets() -> None:
    """White: (1 - 0.485) / 0.229 and so on."""
    found = normalized(torch.full((1, 3, 1, 1), 255.0), IMAGENET_MEAN, IMAGENET_DEVIATION).flatten()
    assert found.tolist() == pytest.approx([2.2489, 2.4286, 2.64], abs=1e-4)


def test_the_box_of_a_mask_leaves_specks_out() -> None:
    mask = np.zeros((400, 300), dtype=np.float32)
    mask[100:300, 120:180] = 1
    mask[2, 2] = mask[398, 297] = 1
    box = box_of_mask(mask)
    assert box == pytest.approx((120 - 6, 100 - 6, 180 + 6, 300 + 6), abs=1)
    assert box_of_mask(np.zeros((4, 4), dtype=np.float32)) is None


def test_the_real_networks_stand_behind_the_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights: a frame is most like itself, and every number names its network and hash."""
    monkeypatch.setattr(identity, "find_person", whole)
    monkeypatch.setattr(identity, "find_face", whole)
    torch.manual_seed(3)
    body, face = OSNet().state_dict(), InceptionResnetV1().state_dict()
    store = store_with(tmp_path, {"osnet": body | {"classifier.bias": torch.zeros(2)}, "face": face})
    random = torch.randint(0, 256, (2, 3, 60, 40), dtype=torch.uint8)
    for metric in (
        identity.body_similarity(["csim", "body-cs"], store, CPU),
        identity.face_similarity(["face-cs"], store, CPU),
    ):
        found = metric.begin().score(Frames(random, random, source=random[:1]))
        for info in metric.infos:
            assert found[info.key][0] == pytest.approx(1, abs=1e-5)
            assert info.sha256 == store.good(info.network)[1]
            assert info.is_higher_better
            assert "in place of" in info.meaning
    for distance, size in ((identity.body_distance, 512), (identity.face_distance, 512)):
        made = distance(["fd"], store, CPU)
        assert made.begin().embed(random).shape == (2, size)
        assert made.info.is_set
        assert "in place of" in made.info.meaning


def test_weights_of_another_network_are_told(tmp_path: Path) -> None:
    store = store_with(tmp_path, {"osnet": InceptionResnetV1().state_dict()})
    with pytest.raises(WeightsError, match="not those of this network"):
        identity.body_distance(["body-fd"], store, CPU)
