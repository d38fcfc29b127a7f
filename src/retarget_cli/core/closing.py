"""Things that hold native resources, as context managers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closing(ABC):
    """Gives everything back when its block is left, however that happens."""

    @abstractmethod
    def close(self) -> None:
        """Give everything back; nothing else may be asked of it afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
