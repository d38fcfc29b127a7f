"""Numbers as readers like them: aligned, and no more digits than mean something."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from retarget_cli.evaluation.results import Estimate, Report
from retarget_cli.metrics.base import Info

ABSENT = "n/a"
MINUS = "\u2212"


def decimals(values: Iterable[float | None]) -> int:
    """Digits behind the point for a column of numbers: three or four that count in the largest of them."""
    largest = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=1.0)
    for limit, digits in ((100.0, 1), (10.0, 2), (0.1, 3)):
        if largest >= limit:
            return digits
    return 4


def shown(value: float | None, digits: int) -> str:
    """One number, with a true minus sign; `n/a` where there is none."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:.{digits}f}".replace("-", MINUS)


def interval(estimate: Estimate, digits: int) -> str:
    """`[low, high]`, or nothing where there is no interval."""
    if estimate.mean is None or estimate.low is None or estimate.high is None:
        return ""
    return f"[{shown(estimate.low, digits)}, {shown(estimate.high, digits)}]"


def arrow(info: Info) -> str:
    """Which direction is better."""
    return "↑" if info.is_higher_better else "↓"


def heading(info: Info) -> str:
    """`PSNR ↑ (dB)`."""
    unit = f" ({info.unit})" if info.unit else ""
    return f"{info.name} {arrow(info)}{unit}"


def estimates(report: Report, key: str) -> dict[str, Estimate]:
    """Of one metric, by method, in the report's order."""
    return {method: report.overall.get(method, {}).get(key, Estimate(None)) for method in report.methods}


def best(found: Mapping[str, Estimate], info: Info, digits: int) -> frozenset[str]:
    """The methods that are best, as far as the shown digits tell; none where there is nothing to choose from."""
    means = {name: round(each.mean, digits) for name, each in found.items() if each.mean is not None}
    if len(means) < 2:
        return frozenset()
    top = max(means.values()) if info.is_higher_better else min(means.values())
    return frozenset(name for name, mean in means.items() if mean == top)


def is_certain(estimate: Estimate) -> bool:
    """Whether the interval of a difference leaves zero out."""
    if estimate.low is None or estimate.high is None:
        return False
    return estimate.low > 0 or estimate.high < 0


def words(values: Mapping[str, str | int | float]) -> str:
    """`name: walkers, clips: 12`, without what is empty."""
    return ", ".join(f"{plain(key)}: {value}" for key, value in values.items() if value != "")


def plain(key: str) -> str:
    """A key of a table as words."""
    return key.replace("_", " ")


def counted(number: int, thing: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(names: Sequence[str], most: int = 12) -> str:
    """The first of many names."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
