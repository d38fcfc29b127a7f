"""The error tree and its exit codes."""

from __future__ import annotations

import pytest

from retarget_cli.core import errors
from retarget_cli.core.errors import RetargetError

CODES = {
    "UsageError": 2,
    "InputError": 3,
    "OutputError": 3,
    "BackendError": 4,
    "WeightsError": 4,
    "DeviceError": 4,
}


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_exit_codes(name: str, code: int) -> None:
    error = getattr(errors, name)("what", "do this")
    assert isinstance(error, RetargetError)
    assert (error.exit_code, error.message, error.hint, str(error)) == (code, "what", "do this", "what")


def test_every_error_has_a_code_that_is_tested_and_written_down() -> None:
    found = {item.__name__: item.exit_code for item in RetargetError.__subclasses__()}
    assert found == CODES
    for name, code in CODES.items():
        assert f"{name}" in (errors.__doc__ or "")
        assert any(name in line and str(code) in line for line in (errors.__doc__ or "").splitlines())


def test_a_hint_may_be_missing() -> None:
    assert RetargetError("what").hint == ""
