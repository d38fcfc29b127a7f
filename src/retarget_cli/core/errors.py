"""The error tree. Only `cli` turns these into exit codes.

RetargetError
├── UsageError      2  an option's value is impossible
├── InputError      3  a file that the user gave can't be used
├── OutputError     3  the result can't be written
├── BackendError    4  a backend broke its contract or can't do what was asked
├── WeightsError    4  weights are missing, damaged or of another model
└── DeviceError     4  a device that was asked for is not there
"""


class RetargetError(Exception):
    """Something that the user can act on.

    Args:
        message: what went wrong, with the value and what was expected; one line.
        hint: what to do about it; one line, may be empty.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def line(self) -> str:
        """Message and hint in one line, for tables and reports."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(RetargetError):
    """An option's value is impossible, or options contradict each other."""

    exit_code = 2


class InputError(RetargetError):
    """A file that the user gave can't be read, or does not show what is needed."""

    exit_code = 3


class OutputError(RetargetError):
    """The result can't be written where it was asked for."""

    exit_code = 3


class BackendError(RetargetError):
    """A backend is unknown, broke its contract, or can't do what was asked."""

    exit_code = 4


class WeightsError(RetargetError):
    """Weights or a body model are missing, damaged, or belong to something else."""

    exit_code = 4


class DeviceError(RetargetError):
    """A device was asked for by name and is not there."""

    exit_code = 4


class Interrupted(KeyboardInterrupt):
    """The user stopped a run that can be gone on with.

    Args:
        message: what is kept, and where; one line.
        hint: how to go on; one line.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
