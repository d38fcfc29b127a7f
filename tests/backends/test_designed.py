"""What every method owes whose form lies in words, over all that are registered: weights bring their form along."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from retarget_cli.backends.designed import Designed
from retarget_cli.backends.registry import backend_class, known_backends, make_backend, option_help
from retarget_cli.backends.words import UNTRAINED, WEIGHTS_OPTION
from retarget_cli.core.errors import UsageError, WeightsError
from retarget_cli.weights.checkpoints import Label, write_weights

CPU = torch.device("cpu")
NAMES = [name for name in sorted(known_backends()) if issubclass(backend_class(name), Designed)]

pytestmark = pytest.mark.parametrize("name", NAMES)


def backend(name: str, **said: str) -> Designed:
    """With those of the small numbers that it has."""
    small = {"width": "8", "most": "16", "channels": "4", "keypoints": "4", "resolution": "64"}
    known = option_help(backend_class(name).options)
    own = {key: value for key, value in small.items() if key in known and said.get(WEIGHTS_OPTION) == UNTRAINED}
    made = make_backend(name, {**own, **said}, CPU)
    assert isinstance(made, Designed)
    return made


def kept(own: Designed, folder: Path) -> str:
    path = folder / "mine.safetensors"
    write_weights(path, own.generator.state_dict(), Label(own.name, own.design(), license="CC0"))
    return str(path)


def test_its_name_is_the_registrys(name: str) -> None:
    own = backend(name, weights=UNTRAINED)
    assert own.name == name
    assert own.spec.weights == (name,)


def test_a_file_brings_the_form_along(name: str, tmp_path: Path) -> None:
    own = backend(name, weights=UNTRAINED)
    found = backend(name, weights=kept(own, tmp_path))
    assert found.design() == own.design()
    assert found.lineage()["base"] == "mine.safetensors"
    assert found.lineage()["license"] == "CC0"
    assert not found.network.training
    wanted = own.generator.state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in found.generator.state_dict().items())
    with pytest.raises(UsageError, match="width=6: the weights are of width=8"):
        backend(name, weights=kept(own, tmp_path), width="6")


def test_adopted_weights_bring_theirs(name: str, tmp_path: Path) -> None:
    own, other = backend(name, weights=UNTRAINED), backend(name, weights=UNTRAINED, width="4")
    found = backend(name, weights=kept(own, tmp_path))
    found.adopt(other.generator.state_dict(), other.design(), "others")
    assert found.design() == other.design() != own.design()
    assert found.lineage() == {"base": "others"}
    assert found.generator.state_dict().keys() == other.generator.state_dict().keys()


def test_a_damaged_word_is_told(name: str, tmp_path: Path) -> None:
    own = backend(name, weights=UNTRAINED)
    for word in own.design():
        path = tmp_path / f"{word}.safetensors"
        label = Label(own.name, {**own.design(), word: "nonsense"}, license="CC0")
        write_weights(path, own.generator.state_dict(), label)
        with pytest.raises((WeightsError, UsageError), match=word):
            backend(name, weights=str(path))
