"""Where weights are looked for, what is said of them, and how they get into networks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.weights.making import row, store_of, store_with
from torch import nn

from retarget_cli.core.errors import UsageError, WeightsError
from retarget_cli.weights import hashing
from retarget_cli.weights.catalog import CATALOG, row_of
from retarget_cli.weights.hashing import Ledger, sha256_of
from retarget_cli.weights.lpips_heads import KNOWN_SHA256, heads_path, heads_version
from retarget_cli.weights.places import Place, places
from retarget_cli.weights.state import load_into, read_state
from retarget_cli.weights.store import Condition, Store


def test_the_catalog_is_whole() -> None:
    assert set(CATALOG) >= {"alexnet", "vgg16", "vgg19", "inception-fid", "i3d", "osnet", "face"}
    names = [name for each in CATALOG.values() for name in (each.file, *each.aliases)]
    assert len(names) == len(set(names))
    for each in CATALOG.values():
        assert all(url.startswith("https://") for url in each.urls)
        assert each.license
        assert each.origin
        assert each.uses
        assert not each.sha256 or (each.is_hash_whole and set(each.sha256) <= set("0123456789abcdef"))
        assert (each.size is None) == (each.sha256 == "")
        # torch hub's names carry the first digits of the hash
        parts = [part for part in each.file.removesuffix(".pth").split("-") if len(part) == 8 and part != "20180402"]
        assert all(each.sha256.startswith(part) for part in parts)


def test_near_names_are_offered() -> None:
    with pytest.raises(UsageError) as caught:
        row_of("vgg-16")
    assert "did you mean vgg16?" in caught.value.hint


def test_places_in_order(tmp_path: Path) -> None:
    variables = {
        "RETARGET_WEIGHTS": str(tmp_path / "mine"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "TORCH_HOME": str(tmp_path / "torch"),
    }
    found = [place.folder for place in places(None, variables)]
    assert found[:2] == [tmp_path / "mine", tmp_path / "data" / "retarget" / "weights"]
    assert found[2].name == "weights"
    assert (found[2] / "README.md").is_file()
    assert found[3:] == [tmp_path / "torch" / "hub" / "checkpoints", tmp_path / "torch" / "checkpoints"]
    assert next(place.folder for place in places(tmp_path / "given", variables)) == tmp_path / "given"
    variables = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert places(None, variables)[-1].folder == tmp_path / "cache" / "torch" / "checkpoints"


def test_the_first_place_wins_and_other_names_count(tmp_path: Path) -> None:
    content = b"weights"
    known = row("net", content, file="net.pth")
    folders = [Place("one", tmp_path / "one"), Place("two", tmp_path / "two")]
    store = Store(folders, Ledger(tmp_path / "checked.json"), {"net": known})
    assert store.state("net").condition is Condition.MISSING
    for folder in folders:
        folder.folder.mkdir()
    (tmp_path / "two" / "net.pth").write_bytes(content)
    assert store.state("net").place == "two"
    (tmp_path / "one" / "net.pth").write_bytes(content)
    assert store.state("net").place == "one"


def test_aliases_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "weights-inception-2015-12-05-6726825d.pth").write_bytes(b"not it")
    found = Store([Place("given", folder)], Ledger(tmp_path / "c.json")).state("inception-fid")
    assert found.condition is Condition.DAMAGED
    assert "6 bytes instead of 95628359" in found.reason


def test_missing_and_damaged_name_the_one_command(tmp_path: Path) -> None:
    store = store_of(tmp_path, row("net", b"weights"))
    with pytest.raises(WeightsError, match="missing") as caught:
        store.good("net")
    assert caught.value.hint == "retarget weights pull net"
    store.target("net").parent.mkdir()
    store.target("net").write_bytes(b"strange")
    with pytest.raises(WeightsError, match="damaged") as caught:
        store.good("net")
    assert caught.value.hint == "retarget weights pull net"


def test_hashing_is_done_once_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []

    def counted(path: Path) -> str:
        hashed.append(path)
        return sha256_of(path)

    monkeypatch.setattr(hashing, "sha256_of", counted)
    path = tmp_path / "a.pth"
    path.write_bytes(b"one")
    first = Ledger(tmp_path / "kept" / "checked.json").sha256(path)
    ledger = Ledger(tmp_path / "kept" / "checked.json")
    assert ledger.sha256(path) == first
    assert len(hashed) == 1
    assert ledger.sha256(path, is_fresh=True) == first
    assert len(hashed) == 2
    path.write_bytes(b"two")
    os.utime(path, ns=(1, 1))
    assert ledger.sha256(path) != first
    assert len(hashed) == 3


@pytest.mark.parametrize("text", ["", "[]", "{not json", '{"a": 1}'])
def test_a_strange_ledger_costs_only_time(tmp_path: Path, text: str) -> None:
    (tmp_path / "checked.json").write_text(text)
    (tmp_path / "a.pth").write_bytes(b"one")
    assert Ledger(tmp_path / "checked.json").sha256(tmp_path / "a.pth") == sha256_of(tmp_path / "a.pth")


def test_a_ledger_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "a.pth").write_bytes(b"one")
    assert len(Ledger(tmp_path / "file" / "checked.json").sha256(tmp_path / "a.pth")) == 64


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))


def test_weights_get_into_the_network(tmp_path: Path) -> None:
    saved, fresh = net(), net()
    store = store_with(tmp_path, {"net": saved.state_dict() | {"head.weight": torch.zeros(2)}})
    digest = store.load_into("net", fresh, unused=("head.",))
    assert digest == sha256_of(store.target("net"))
    assert all(torch.equal(value, saved.state_dict()[key]) for key, value in fresh.state_dict().items())
    assert not fresh.training
    assert not any(parameter.requires_grad for parameter in fresh.parameters())


def test_counters_that_old_files_lack_are_no_fault() -> None:
    state = {key: value + 1 for key, value in net().state_dict().items() if "num_batches" not in key}
    fresh = net()
    load_into(fresh, state, "net")
    assert torch.equal(fresh.state_dict()["1.running_var"], state["1.running_var"])


def test_every_misfit_is_named_and_nothing_is_loaded() -> None:
    fresh = net()
    before = fresh.state_dict()["1.weight"].clone()
    state = dict(net().state_dict())
    state["1.weight"] = torch.full((4,), 7.0)
    del state["0.bias"]
    state["2.weight"] = torch.zeros(1)
    state["0.weight"] = torch.zeros(4, 3, 3, 3)
    with pytest.raises(WeightsError) as caught:
        load_into(fresh, state, "net")
    assert "1 missing (0.bias)" in caught.value.message
    assert "1 unexpected (2.weight)" in caught.value.message
    assert "0.weight is (4, 3, 3, 3) instead of (4, 3, 1, 1)" in caught.value.message
    assert "\n" not in caught.value.message
    assert torch.equal(fresh.state_dict()["1.weight"], before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.bias": None}, "1 missing"),
        ({"2.weight": torch.zeros(1)}, "1 unexpected"),
        ({"0.weight": torch.zeros(1)}, "1 of another shape"),
    ],
)
def test_each_misfit_alone_is_enough(change: dict[str, torch.Tensor | None], message: str) -> None:
    state = {key: value for key, value in (net().state_dict() | change).items() if value is not None}
    with pytest.raises(WeightsError, match=message):
        load_into(net(), state, "net")


def test_long_lists_of_misfits_stay_short() -> None:
    with pytest.raises(WeightsError, match="and 3 more"):
        load_into(net(), {}, "net")


@pytest.mark.parametrize("form", ["plain", "wrapped", "parallel", "safetensors", "old"])
def test_forms_of_files(tmp_path: Path, form: str) -> None:
    state = {"a": torch.arange(3.0), "b": torch.ones(2, 2)}
    path = tmp_path / ("a.safetensors" if form == "safetensors" else "a.pth")
    if form == "safetensors":
        save_file(state, path)
    elif form == "wrapped":
        torch.save({"state_dict": state, "epoch": 3}, path)
    elif form == "parallel":
        torch.save({f"module.{key}": value for key, value in state.items()}, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=form != "old")
    found = read_state(path)
    assert list(found) == ["a", "b"]
    assert torch.equal(found["a"], state["a"])


class Strange:
    """Something that a file of weights must not hold."""


class Armed:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_files_are_never_executed(tmp_path: Path) -> None:
    torch.save({"a": Armed(tmp_path / "executed")}, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_state(tmp_path / "a.pth")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("content", ["cut", "text", "empty", "object", "list", "mixed", "nothing"])
def test_other_files_give_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": torch.arange(3000.0)}, path)
    whole = path.read_bytes()
    if content == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif content in ("text", "empty"):
        path.write_bytes(b"<html>not found</html>" if content == "text" else b"")
    else:
        things = {"object": Strange(), "list": [torch.zeros(1)], "mixed": {"a": torch.zeros(1), "b": 3}, "nothing": {}}
        torch.save(things[content], path)
    with pytest.raises(WeightsError) as caught:
        read_state(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


def test_lpips_heads_are_those_that_are_known() -> None:
    assert {kind: sha256_of(heads_path(kind)) for kind in KNOWN_SHA256} == KNOWN_SHA256
    assert heads_version() == "torchmetrics 1.9.0"
    with pytest.raises(WeightsError, match="no-such-net"):
        heads_path("no-such-net")
