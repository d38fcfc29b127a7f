"""SphereFace with twenty layers, whose features say whose face it is.

Liu et al., SphereFace: deep hypersphere embedding for face recognition, 2017. Keys are those of the public file
(`conv1_1.weight`, `relu1_1.weight`, `fc5.bias`); its classifier is left out.
"""

from __future__ import annotations

from torch import Tensor, nn

UNUSED = ("fc6.",)
"""Prefixes of keys that the public file holds beside the features."""

HEIGHT, WIDTH = 112, 96
"""Of the faces."""

_STAGES = ((64, 1), (128, 2), (256, 4), (512, 1))
_LAST = 512 * (HEIGHT // 16) * (WIDTH // 16)


class Sphere20a(nn.Module):
    """Four stages, each a strided convolution and residual pairs, and a linear layer; PReLU throughout."""

    def __init__(self) -> None:
        super().__init__()
        inputs = 3
        for stage, (channels, pairs) in enumerate(_STAGES, 1):
            for number in range(1, 2 * pairs + 2):
                before, stride = (inputs, 2) if number == 1 else (channels, 1)
                self.add_module(f"conv{stage}_{number}", nn.Conv2d(before, channels, 3, stride, padding=1))
                self.add_module(f"relu{stage}_{number}", nn.PReLU(channels))
            inputs = channels
        self.fc5 = nn.Linear(_LAST, 512)

    def forward(self, faces: Tensor) -> list[Tensor]:
        """The output of every stage, then (N, 512) of the linear layer, of faces (N, 3, 112, 96) in [-1, 1]."""
        found, x = [], faces
        for stage, (_, pairs) in enumerate(_STAGES, 1):
            x = self._layer(stage, 1, x)
            for pair in range(pairs):
                x = x + self._layer(stage, 2 * pair + 3, self._layer(stage, 2 * pair + 2, x))
            found.append(x)
        found.append(self.fc5(x.flatten(1)))
        return found

    def _layer(self, stage: int, number: int, x: Tensor) -> Tensor:
        convolved = self.get_submodule(f"conv{stage}_{number}")(x)
        activated: Tensor = self.get_submodule(f"relu{stage}_{number}")(convolved)
        return activated
