"""Released generators of pix2pixHD and Everybody Dance Now: recognised by their tensors, and where stage I begins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.networks.published import FACE
from tests.reference_weights import official_shapes
from tests.workflows.scenes import subject
from torch import Tensor

from retarget_cli.backends.pose2video.backend import Pose2VideoBackend
from retarget_cli.backends.pose2video.official import Form, form_of, recognisers
from retarget_cli.backends.pose2video.trunk import generator_of
from retarget_cli.backends.registry import make_backend
from retarget_cli.core.errors import UsageError, WeightsError
from retarget_cli.networks.multiscale_discriminator import MultiscaleDiscriminator
from retarget_cli.networks.official_names import discriminator_names, enhancer_names, global_names
from retarget_cli.networks.residual_generator import EnhancedGenerator, ResidualGenerator, TrunkDesign
from retarget_cli.weights import places
from retarget_cli.weights.checkpoints import Label, read_label, read_weights, write_weights
from retarget_cli.weights.importing import recognise
from retarget_cli.workflows.import_weights import import_weights

CPU = torch.device("cpu")
SMALL = TrunkDesign(width=4, levels=2, after=3)
LIMBS, BEFORE = 28, 3


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "TORCH_HOME", "RETARGET_WEIGHTS"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setattr(places, "_checkout", lambda: None)


def released(inputs: int, *, is_enhanced: bool = False) -> tuple[ResidualGenerator | EnhancedGenerator, Any]:
    """A generator, and its tensors as a file has them."""
    torch.manual_seed(5)
    network = generator_of(inputs, SMALL, is_enhanced=is_enhanced)
    names = enhancer_names(network) if isinstance(network, EnhancedGenerator) else global_names(network)
    own = network.state_dict()
    return network, {theirs: own[ours].clone() for theirs, ours in names.items()}


def saved(path: Path, state: Mapping[str, Tensor]) -> Path:
    torch.save(dict(state), path, _use_new_zipfile_serialization=False)
    return path


def backend_of(**settings: str) -> Pose2VideoBackend:
    torch.manual_seed(9)
    backend = make_backend("pose2video", {"resolution": "32", **settings}, CPU)
    assert isinstance(backend, Pose2VideoBackend)
    return backend


def assert_same_but_first(ours: Any, theirs: Any) -> None:
    """Two trunks, all but the weights of the first layer."""
    own, other = ours.state_dict(), theirs.state_dict()
    assert own.keys() == other.keys()
    for name, tensor in own.items():
        assert name == "encoder.stem.conv.weight" or torch.equal(tensor, other[name]), name


@pytest.mark.parametrize(
    ("keys", "form"),
    [
        ("pix2pixhd_G", Form(3)),
        ("pix2pixhd_L", Form(3, is_enhanced=True)),
        ("edn_G_global", Form(6)),
        ("edn_G_face", Form(6, FACE)),
    ],
)
def test_released_forms_are_recognised(keys: str, form: Form) -> None:
    state = {name: torch.zeros(()).expand(shape) for name, shape in official_shapes(keys).items()}
    assert form_of(state) == form
    found = recognise(state, recognisers(), "x.pth", "pix2pixhd")
    assert set(found.names) == set(state)
    assert found.design["inputs"] == str(form.inputs)
    if form.inputs == 6:
        assert recognise(state, recognisers(), "x.pth", "edn").design["recursive"] == "yes"


@pytest.mark.parametrize("is_enhanced", [False, True])
@pytest.mark.parametrize("inputs", [1, 36, 39])
def test_any_counts_are_recognised(inputs: int, is_enhanced: bool) -> None:
    state = released(inputs, is_enhanced=is_enhanced)[1]
    assert form_of(state) == Form(inputs, SMALL, is_enhanced)
    found = recognise(state, recognisers(), "x.pth")
    assert (found.name, found.design["width"], found.design["levels"], found.design["blocks"]) == (
        "pix2pixhd", "4", "2", "3",
    )  # fmt: skip
    assert found.design.get("enhanced") == ("yes" if is_enhanced else None)


def test_the_trunk_is_taken_over_and_the_rest_begins_anew(tmp_path: Path) -> None:
    """From a file as the released code writes it, statistics of old versions of torch among its tensors."""
    theirs, state = released(36)
    state |= {"model.2.running_mean": torch.zeros(4), "model.2.running_var": torch.ones(4)}
    path = saved(tmp_path / "latest_net_G.pth", {f"module.{name}": each for name, each in state.items()})
    done = import_weights(path)
    assert (done.name, done.tensors) == ("latest_net_G", len(state) - 2)
    assert done.label.license.startswith("BSD")
    backend, fresh = backend_of(weights=done.name), backend_of(weights="none", width="4", levels="2", blocks="3")
    ours, other = backend.network.first.generator, fresh.network.first.generator
    assert isinstance(ours, ResidualGenerator)
    assert isinstance(theirs, ResidualGenerator)
    assert isinstance(other, ResidualGenerator)
    assert_same_but_first(ours.trunk, theirs.trunk)
    assert torch.equal(ours.head.conv.weight[:3], theirs.head.conv.weight)
    assert torch.equal(ours.head.conv.weight[3:], other.head.conv.weight[3:])
    assert torch.equal(ours.trunk.encoder.stem.conv.weight, other.trunk.encoder.stem.conv.weight)
    assert backend.network.second is not None
    assert fresh.network.second is not None
    second = fresh.network.second.state_dict()
    assert all(torch.equal(each, second[name]) for name, each in backend.network.second.state_dict().items())
    assert backend.design() == fresh.design()
    assert backend.lineage()["base"] == "latest_net_G.safetensors"


@torch.inference_mode()
def test_what_was_taken_over_does_the_same(tmp_path: Path) -> None:
    """Behind the first layer, colours are those of the released generator."""
    theirs, state = released(36)
    import_weights(saved(tmp_path / "latest_net_G.pth", state))
    ours = backend_of(weights="latest_net_G").network.first.generator
    assert isinstance(ours, ResidualGenerator)
    assert isinstance(theirs, ResidualGenerator)
    features = torch.rand(1, 4, 16, 8)
    made = [each.head(each.trunk.decoder(each.trunk.encoder.down(features))) for each in (ours, theirs)]
    assert torch.equal(made[0][:, :3], made[1])


def test_everybody_dance_now_keeps_the_frame_before(tmp_path: Path) -> None:
    theirs, state = released(2 * BEFORE)
    path = saved(tmp_path / "latest_net_G.pth", state)
    with pytest.raises(UsageError, match="fits pix2pixhd and edn alike"):
        import_weights(path)
    done = import_weights(path, form="edn")
    assert "non-commercial" in done.label.license
    backend = backend_of(weights="latest_net_G")
    design = backend.network.design
    assert (design.is_recursive, design.stages, design.context) == (True, 1, 0)
    stems = [each.trunk.encoder.stem.conv.weight for each in (backend.network.first.generator, theirs)]  # type: ignore[union-attr]
    assert stems[0].shape[1] == LIMBS + BEFORE
    assert torch.equal(stems[0][:, -BEFORE:], stems[1][:, -BEFORE:])
    assert 0.01 < float(stems[0][:, :-BEFORE].detach().std()) < 0.03
    assert backend_of(weights="latest_net_G", face="yes").network.face is not None
    with pytest.raises(UsageError, match="stages=2"):
        backend_of(weights="latest_net_G", stages="2")


def test_an_enhancer_is_taken_over_and_a_trunk_can_get_one(tmp_path: Path) -> None:
    theirs, state = released(36, is_enhanced=True)
    import_weights(saved(tmp_path / "local.pth", state))
    plain, other = released(36)
    import_weights(saved(tmp_path / "global.pth", other))
    ours = backend_of(weights="local").network.first.generator
    assert isinstance(ours, EnhancedGenerator)
    assert isinstance(theirs, EnhancedGenerator)
    assert_same_but_first(ours.coarse, theirs.coarse)
    assert_same_but_first(ours.fine, theirs.fine)
    assert torch.equal(ours.head.conv.weight[:3], theirs.head.conv.weight)
    first = backend_of(weights="global", enhanced="yes").network.first
    assert isinstance(first.generator, EnhancedGenerator)
    assert isinstance(plain, ResidualGenerator)
    assert first.small_head is not None
    assert_same_but_first(first.generator.coarse, plain.trunk)
    assert torch.equal(first.small_head.conv.weight[:3], plain.head.conv.weight)
    with pytest.raises(UsageError, match="enhanced=no"):
        backend_of(weights="local", enhanced="no")
    with pytest.raises(UsageError, match="width=8"):
        backend_of(weights="global", width="8")


def test_it_shows_nobody_until_somebody_was_learned(tmp_path: Path) -> None:
    import_weights(saved(tmp_path / "latest_net_G.pth", released(36)[1]))
    with pytest.raises(UsageError, match="tuned to nobody"):
        backend_of(weights="latest_net_G").prepare(subject())
    backend = backend_of(weights="latest_net_G", generic="yes")
    backend.prepare(subject())
    again = backend_of(weights="none", width="4", levels="2", blocks="3")
    again.adopt(backend.generator.state_dict(), backend.design(), "me.subject")  # as a subject file has it
    again.prepare(subject())


def test_a_training_can_begin_with_it(tmp_path: Path) -> None:
    theirs, state = released(36)
    done = import_weights(saved(tmp_path / "latest_net_G.pth", state))
    kept, label = read_weights(done.path, "pose2video")
    backend = backend_of(weights="none", width="4", levels="2", blocks="3")
    backend.begin(kept, label.design, "latest_net_G")
    assert_same_but_first(backend.network.first.generator.trunk, theirs.trunk)  # type: ignore[union-attr]
    whole = backend.generator.state_dict()
    other = backend_of(weights="none", width="4", levels="2", blocks="3")
    other.begin(whole, backend.design(), "whole")
    assert all(torch.equal(each, whole[name]) for name, each in other.generator.state_dict().items())


def test_what_is_no_such_generator(tmp_path: Path) -> None:
    state = released(36)[1]
    with pytest.raises(WeightsError, match=r"unexpected \(model.2.weight"):
        import_weights(saved(tmp_path / "batch.pth", {**state, "model.2.weight": torch.ones(4)}))
    grey = {**state, "model.20.weight": torch.zeros(1, 4, 7, 7), "model.20.bias": torch.zeros(1)}
    with pytest.raises(WeightsError, match=r"model.20.weight is \(1, 4, 7, 7\) instead of \(3, 4, 7, 7\)"):
        import_weights(saved(tmp_path / "grey.pth", grey))
    with pytest.raises(WeightsError, match=r"model.1.weight is \(4, 36, 7, 7\) instead of \(4, 6, 7, 7\)"):
        import_weights(saved(tmp_path / "labels.pth", state), form="edn")
    with pytest.raises(WeightsError, match="not finite"):
        import_weights(saved(tmp_path / "nan.pth", {**state, "model.1.bias": torch.full((4,), torch.nan)}))
    with torch.device("meta"):
        judge = MultiscaleDiscriminator(39)
    names = discriminator_names(judge)
    zeros = {theirs: torch.zeros(judge.state_dict()[ours].shape) for theirs, ours in names.items()}
    with pytest.raises(WeightsError, match="a discriminator of pix2pixHD") as told:
        import_weights(saved(tmp_path / "latest_net_D.pth", zeros))
    assert "_net_G.pth" in told.value.hint
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("over", "text"),
    [({"inputs": "0"}, "inputs=0"), ({"inputs": "9"}, "another shape"), ({"blocks": "2"}, "unexpected")],
)
def test_a_file_that_tells_of_another_generator(tmp_path: Path, over: dict[str, str], text: str) -> None:
    done = import_weights(saved(tmp_path / "latest_net_G.pth", released(36)[1]))
    state, label = read_weights(done.path, "pose2video")
    label = Label("pose2video", {**label.design, **over}, (), 1, "made up")
    write_weights(tmp_path / "other.safetensors", state, label)
    assert read_label(tmp_path / "other.safetensors").design["holds"] == "trunk"
    with pytest.raises(WeightsError, match=text):
        backend_of(weights=str(tmp_path / "other.safetensors"))
