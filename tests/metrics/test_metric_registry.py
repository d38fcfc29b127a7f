"""Names, groups, and metrics whose weights are missing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch
from tests.weights.making import row, store_of, store_with

from retarget_cli.core.errors import UsageError
from retarget_cli.metrics.base import FrameMetric
from retarget_cli.metrics.registry import ENTRIES, GROUPS, METRICS, expanded, make_metrics, names
from retarget_cli.networks.classic import alexnet
from retarget_cli.networks.osnet import OSNet
from retarget_cli.weights.catalog import CATALOG

CPU = torch.device("cpu")


def test_keys_and_groups() -> None:
    assert names() == list(METRICS)
    assert set(GROUPS["pixels"]) >= {"l1", "psnr", "ssim", "ms-ssim", "mask-psnr", "mask-ssim"}
    assert set(GROUPS["no-weights"]) >= {*GROUPS["pixels"], "tcm", "warp-error", "akd", "mkr", "face-akd"}
    learned = set(METRICS) - set(GROUPS["no-weights"])
    assert learned >= {"lpips-alex", "lpips-vgg", "fid", "fvd", "csim", "body-cs", "face-cs", "body-fd", "face-fd"}
    assert GROUPS["all"] == tuple(METRICS)


def test_catalog_and_registry_say_the_same_of_who_needs_what() -> None:
    for key, entry in ENTRIES.items():
        for weights in entry.weights:
            assert key in CATALOG[weights].uses
    for weights in CATALOG.values():
        assert all(use in METRICS or " " in use for use in weights.uses)


def test_groups_are_expanded_once() -> None:
    assert expanded(["fid", "pixels", "psnr", "fid"]) == ["fid", *GROUPS["pixels"]]


def test_unknown_keys_name_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        expanded(["psnr", "lpips-alexx"])
    assert "did you mean lpips-alex?" in caught.value.hint


def test_missing_weights_never_fail_the_run(tmp_path: Path) -> None:
    learned = [key for key in METRICS if ENTRIES[key].weights]
    store = store_of(tmp_path, *(row(key, b"weights") for key in CATALOG))
    made, missing = make_metrics(learned, store, CPU)
    assert made == []
    assert [each.key for each in missing] == learned
    for each in missing:
        (weights,) = ENTRIES[each.key].weights
        assert each.command == f"retarget weights pull {weights}"
        assert weights in each.reason
        assert each.name == ENTRIES[each.key].name


def test_what_is_there_runs_beside_what_is_not(tmp_path: Path) -> None:
    store = store_with(tmp_path, {"alexnet": alexnet().state_dict(), "osnet": OSNet().state_dict(), "i3d": {}})
    store.catalog |= {key: row(key, b"weights") for key in ("vgg16", "face")}
    keys = ["lpips-vgg", "csim", "lpips-alex", "body-cs", "face-cs", "body-fd", "fvd"]
    made, missing = make_metrics(keys, store, CPU)
    answered = [
        [info.key for info in metric.infos] if isinstance(metric, FrameMetric) else metric.info.key for metric in made
    ]
    assert answered == [["csim", "body-cs"], ["lpips-alex"], "body-fd"]
    assert [each.key for each in missing] == ["lpips-vgg", "face-cs", "fvd"]
    assert "no state dict" in missing[2].reason  # a file that is there but is none


def test_a_damaged_file_is_missing_and_says_so(tmp_path: Path) -> None:
    store = store_with(tmp_path, {"osnet": OSNet().state_dict()})
    with store.target("osnet").open("ab") as stream:
        stream.write(b"x")
    made, (missing,) = make_metrics(["csim"], store, CPU)
    assert made == []
    assert "damaged" in missing.reason
    assert missing.command == "retarget weights pull osnet"


def test_names_of_entries_are_those_of_the_metrics(tmp_path: Path) -> None:
    store = store_with(tmp_path, {"alexnet": alexnet().state_dict(), "osnet": OSNet().state_dict()})
    made, _ = make_metrics(["lpips-alex", "csim", "body-cs", "body-fd"], store, CPU)
    for metric in made:
        for info in metric.infos if isinstance(metric, FrameMetric) else (metric.info,):
            assert info.name == ENTRIES[info.key].name


def test_names_cost_nothing() -> None:
    program = (
        "import sys\nimport retarget_cli.metrics.registry\n"
        "assert not {'torch', 'numpy', 'cv2', 'mediapipe', 'torchmetrics'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_every_factory_is_there() -> None:
    for key in METRICS:
        module, _, name = METRICS[key].partition(":")
        assert callable(getattr(import_module(module), name))


def test_metrics_without_weights_answer_to_their_keys(tmp_path: Path) -> None:
    made, missing = make_metrics(["no-weights"], store_of(tmp_path), CPU)
    assert missing == []
    answered = {info.key: info for metric in made if isinstance(metric, FrameMetric) for info in metric.infos}
    assert set(answered) == set(GROUPS["no-weights"])
    assert all(info.name == ENTRIES[key].name for key, info in answered.items())
