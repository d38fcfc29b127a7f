"""Jobs, outcomes and events as lines of JSON: all that passes between a driver and its workers.

Every line is plain ASCII, whatever names stand in it; names that are no Unicode survive as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from retarget_cli.batch.engine import Event, Finished, Job, Progressed, Started
from retarget_cli.batch.item import Fault, Item, Outcome, Value

Data = dict[str, Any]

READY = "ready"
"""Said once: the worker has imported everything."""
LEAVING = "leaving"
"""Said before the end of a job after which the worker takes no other."""


def job_to_json(job: Job) -> str:
    """One line, without its end."""
    return _line({**asdict(job), "item": item_to_data(job.item)})


def job_from_json(text: str) -> Job:
    """The job that `job_to_json` wrote.

    Raises:
        ValueError: it is none.
    """
    data = _data(text)
    try:
        return Job(
            item=item_from_data(data["item"]),
            output=str(data["output"]),
            window_share=int(data["window_share"]),
            is_retry=bool(data["is_retry"]),
            is_help=bool(data["is_help"]),
            cache=None if data["cache"] is None else str(data["cache"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no job: {text[:200]}") from error


def item_to_data(item: Item) -> Data:
    """An item as JSON types."""
    return {**asdict(item), "options": dict(item.options)}


def item_from_data(data: Mapping[str, Any]) -> Item:
    """The item that `item_to_data` took apart; lists are tuples again, so that its key is the same."""
    options: dict[str, Value] = {
        str(name): tuple(map(str, value)) if isinstance(value, list | tuple) else str(value)
        for name, value in data["options"].items()
    }
    texts = {name: str(data[name]) for name in ("source", "driving", "output", "place")}
    return Item(number=int(data["number"]), options=options, **texts)


def outcome_to_json(outcome: Outcome) -> str:
    """One line, without its end."""
    return _line(outcome_to_data(outcome))


def outcome_from_json(text: str) -> Outcome:
    """The outcome that `outcome_to_json` wrote.

    Raises:
        ValueError: it is none.
    """
    return outcome_from_data(_data(text))


def outcome_to_data(outcome: Outcome) -> Data:
    """An outcome as JSON types."""
    return {**asdict(outcome), "fault": outcome.fault.value, "notes": list(outcome.notes)}


def outcome_from_data(data: Mapping[str, Any]) -> Outcome:
    """The outcome that `outcome_to_data` took apart. What an older version did not tell has its default.

    Raises:
        ValueError: it is none.
    """
    try:
        fault, notes = Fault(data["fault"]), tuple(map(str, data.get("notes", ())))
        known = asdict(Outcome()).keys() & data.keys() - {"fault", "notes"}
        return replace(Outcome(fault=fault, notes=notes), **{name: data[name] for name in known})
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no outcome: {str(data)[:200]}") from error


def event_to_json(event: Event) -> str:
    """One line, without its end and without the job: who reads it knows what the worker is at."""
    match event:
        case Started(worker=worker):
            return _line({"event": "started", "worker": worker})
        case Progressed(stage=stage, done=done, total=total):
            return _line({"event": "progressed", "stage": stage, "done": done, "total": total})
        case Finished(outcome=outcome):
            return _line({"event": "finished", "outcome": outcome_to_data(outcome)})


def event_from_data(data: Mapping[str, Any], job: Job) -> Event:
    """The event that `event_to_json` wrote, of this job; `data` is what `message_from_json` read.

    Raises:
        ValueError: it is none.
    """
    try:
        match data["event"]:
            case "started":
                return Started(job, str(data["worker"]))
            case "progressed":
                total = data["total"]
                return Progressed(job, str(data["stage"]), int(data["done"]), None if total is None else int(total))
            case "finished":
                return Finished(job, outcome_from_data(data["outcome"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no event: {str(data)[:200]}") from error
    raise ValueError(f"there is no event {data['event']!r}")


def message_to_json(name: str) -> str:
    """A line that concerns a worker and no job: `READY` or `LEAVING`."""
    return _line({"event": name})


def message_from_json(text: str) -> Data:
    """Whatever a worker said, an event or a message: an object with the name under `event`.

    Raises:
        ValueError: it is none.
    """
    data = _data(text)
    if not isinstance(data.get("event"), str):
        raise ValueError(f"this is no event: {text[:200]}")
    return data


def _line(data: Data) -> str:
    return json.dumps(data, ensure_ascii=True, separators=(",", ":"))


def _data(text: str) -> Data:
    try:
        data = json.loads(text)
    except RecursionError as error:
        raise ValueError(f"this is no line of ours: {text[:200]}") from error
    if not isinstance(data, dict):
        raise ValueError(f"this is no object: {text[:200]}")
    return data
