"""FID's and FVD's features with random networks, and their gathering."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.networks.filling import filled
from tests.weights.making import store_with
from torch import Tensor, nn

from retarget_cli.metrics.inception import InceptionDistance
from retarget_cli.metrics.video_frechet import CLIP_FRAMES, ClipEmbedder, VideoDistance
from retarget_cli.networks.i3d import I3D
from retarget_cli.networks.inception_fid import FidInception

CPU = torch.device("cpu")


def test_fid_features(tmp_path: Path) -> None:
    network = FidInception().eval()
    store = store_with(tmp_path, {"inception-fid": network.state_dict() | {"fc.weight": torch.zeros(2)}})
    metric = InceptionDistance(["fid"], store, CPU)
    pictures = torch.randint(0, 256, (3, 3, 40, 50), dtype=torch.uint8)
    embedder = metric.begin()
    found = embedder.embed(pictures)
    with torch.inference_mode():
        assert torch.allclose(found, network(pictures), rtol=1e-4, atol=1e-6)
    assert embedder.embed(pictures[:0]).shape == (0, 2048)
    assert metric.info.is_set
    assert (metric.info.network, metric.info.sha256) == ("inception-fid", store.good("inception-fid")[1])


class Recorded(nn.Module):
    """Stands for I3D: remembers clips."""

    def __init__(self) -> None:
        super().__init__()
        self.clips: list[Tensor] = []

    def forward(self, clips: Tensor) -> Tensor:
        self.clips.append(clips)
        return clips.mean(dim=(1, 3, 4))[:, :1].expand(1, 400)


def test_clips_are_gathered_over_windows() -> None:
    network = Recorded()
    embedder = ClipEmbedder(network, CPU)
    frames = torch.arange(40, dtype=torch.uint8).view(40, 1, 1, 1).expand(40, 3, 30, 20)
    counts = [len(embedder.embed(part)) for part in frames.split(9)]
    assert counts == [0, 1, 0, 1, 0]
    assert [tuple(clip.shape) for clip in network.clips] == [(1, 3, CLIP_FRAMES, 224, 224)] * 2
    firsts = [clip[0, 0, :, 0, 0] for clip in network.clips]
    for index, found in enumerate(firsts):
        expected = torch.arange(index * 16, index * 16 + 16) / 127.5 - 1
        assert torch.allclose(found, expected, atol=1e-6)


def test_clips_of_different_videos_do_not_mix() -> None:
    network = Recorded()
    for _ in range(2):
        assert len(ClipEmbedder(network, CPU).embed(torch.zeros(10, 3, 8, 8, dtype=torch.uint8))) == 0
    assert network.clips == []


@pytest.mark.parametrize(("key", "weights", "epsilon"), [("fvd", "i3d", 1e-3), ("fvd-kinetics", "i3d-kinetics", 1e-5)])
def test_fvd_loads_its_own_weights(tmp_path: Path, key: str, weights: str, epsilon: float) -> None:
    network = I3D(epsilon).eval()
    network.load_state_dict(filled(network.state_dict()), strict=False)
    store = store_with(tmp_path, {weights: network.state_dict()})
    metric = VideoDistance([key], store, CPU)
    assert (metric.info.key, metric.info.network, metric.info.is_set) == (key, weights, True)
    clip = torch.randint(0, 256, (CLIP_FRAMES, 3, 224, 224), dtype=torch.uint8)
    with torch.inference_mode():
        expected = network((clip.float() / 127.5 - 1).permute(1, 0, 2, 3)[None])
    assert torch.allclose(metric.begin().embed(clip), expected, rtol=1e-4, atol=1e-4)
