"""What every backend owes that learns, over all that are registered; there is no list of exceptions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.workflows.scenes import subject

from retarget_cli.backends.registry import backend_class, known_backends, make_backend, option_help
from retarget_cli.backends.trainable import Phase, Trainable
from retarget_cli.backends.words import UNTRAINED, WEIGHTS_OPTION
from retarget_cli.core.errors import RetargetError, WeightsError

CPU = torch.device("cpu")
NAMES = [name for name in sorted(known_backends()) if issubclass(backend_class(name), Trainable)]

pytestmark = pytest.mark.parametrize("name", NAMES)


def untrained(name: str) -> Trainable:
    known = option_help(backend_class(name).options)
    small = {key: value for key, value in {"width": "8", "most": "16"}.items() if key in known}
    backend = make_backend(name, {WEIGHTS_OPTION: UNTRAINED, **small}, CPU)
    assert isinstance(backend, Trainable)
    return backend


def test_it_can_begin_without_weights(name: str) -> None:
    assert WEIGHTS_OPTION in option_help(backend_class(name).options)
    backend = untrained(name)
    assert sum(each.numel() for each in backend.generator.parameters()) > 0
    assert all(isinstance(key, str) and isinstance(value, str) for key, value in backend.design().items())
    assert all(isinstance(key, str) and isinstance(value, str) for key, value in backend.lineage().items())


def test_it_takes_weights_of_its_design_and_no_others(name: str) -> None:
    giver, taker = untrained(name), untrained(name)
    state = {key: value.half() for key, value in giver.generator.state_dict().items()}
    taker.adopt(state, giver.design(), "them")
    for key, value in taker.generator.state_dict().items():
        assert torch.equal(value, state[key].to(value.dtype)), key
    first = next(iter(state))
    with pytest.raises(WeightsError, match="them"):
        taker.adopt({key: value for key, value in state.items() if key != first}, giver.design(), "them")
    with pytest.raises(RetargetError):
        taker.adopt(state, dict.fromkeys(giver.design(), "no such thing"), "them")


def test_views_of_a_person_are_examples_of_one_form(name: str) -> None:
    person = subject((128, 96), 0.8, 3.0)
    backend = untrained(name)
    examples = backend.personal_examples(person)
    assert len(examples) == len(person.views)
    for example, view in zip(examples, person.views, strict=True):
        assert np.array_equal(example.target.image, view.image)
    forms = [{key: value.shape for key, value in backend.tensors(each).items()} for each in examples]
    assert forms[0] == forms[1] == forms[2]


def test_its_game_begins_with_the_generator(name: str) -> None:
    backend = untrained(name)
    game = backend.game(Phase.PERSONALIZE)
    assert next(iter(game.players)) == "generator"
    assert game.players["generator"] is backend.generator
    assert set(game.rates) == set(game.players)
    assert all(isinstance(note, str) for note in game.notes)
