"""What passes between driver and worker arrives as it was sent, whatever stands in it."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retarget_cli.batch.engine import Event, Finished, Job, Progressed, Started
from retarget_cli.batch.item import Fault, Item, Outcome
from retarget_cli.batch.wire import (
    event_from_data,
    event_to_json,
    job_from_json,
    job_to_json,
    message_from_json,
    message_to_json,
    outcome_from_data,
    outcome_from_json,
    outcome_to_data,
    outcome_to_json,
)

ODD = ["-rf", "a\nb\r\u2028", "\U0001f57a", "../\u202ex"]
TEXT = st.text() | st.sampled_from(ODD) | st.binary().map(os.fsdecode)  # file names may be no Unicode
VALUES = TEXT | st.lists(TEXT).map(tuple)
ITEMS = st.builds(
    Item, st.integers(1, 10**6), st.dictionaries(TEXT, VALUES, max_size=4), TEXT, TEXT, TEXT, TEXT
)
JOBS = st.builds(Job, ITEMS, TEXT, st.integers(1, 4), st.booleans(), st.booleans(), st.none() | TEXT)
NUMBERS = st.integers(0, 2**50)
OUTCOMES = st.builds(
    Outcome, st.sampled_from(Fault), TEXT, st.floats(0, 1e6), NUMBERS, NUMBERS, NUMBERS, NUMBERS, TEXT,
    st.floats(0, 1e6), NUMBERS, TEXT, st.lists(TEXT).map(tuple),
)  # fmt: skip
JOB = Job(Item(1, {}, "a", "b", "c"), "c")


@given(JOBS)
def test_jobs_come_back_whole(job: Job) -> None:
    line = job_to_json(job)
    assert line.isascii()
    assert "\n" not in line
    back = job_from_json(line)
    assert back == job
    assert type(back.item.options) is dict
    assert all(type(value) in (str, tuple) for value in back.item.options.values())
    assert back.item.key == job.item.key


@given(OUTCOMES)
def test_outcomes_come_back_whole(outcome: Outcome) -> None:
    assert outcome_from_json(outcome_to_json(outcome)) == outcome
    assert outcome_from_data(outcome_to_data(outcome)) == outcome


@given(
    st.builds(Started, st.just(JOB), TEXT)
    | st.builds(Progressed, st.just(JOB), TEXT, NUMBERS, st.none() | NUMBERS)
    | st.builds(Finished, st.just(JOB), OUTCOMES)
)
def test_events_come_back_whole_with_the_job_that_the_reader_knows(event: Event) -> None:
    line = event_to_json(event)
    assert line.isascii()
    assert event_from_data(message_from_json(line), JOB) == event
    other = replace(JOB, output="elsewhere")
    assert event_from_data(message_from_json(line), other) == replace(event, job=other)


def test_every_part_of_a_job_travels() -> None:
    """A part that is added to Job, Item or Outcome and forgotten here would come back as its default."""
    item = Item(7, {"source": ("a", "b"), "size": "512"}, "s", "d", "o.mp4", "pairs.csv, line 3")
    job = Job(item, "/out/o.mp4", window_share=2, is_retry=True, is_help=True, cache="/c")
    assert job_from_json(job_to_json(job)) == job
    for name in job.__dataclass_fields__:
        assert getattr(job, name) != getattr(JOB, name)
    outcome = Outcome(Fault.BUG, "why", 1.5, 2, 1, 3, 4, "cpu", 5.5, 6, "ab", ("note",))
    assert outcome_from_json(outcome_to_json(outcome)) == outcome
    for name in outcome.__dataclass_fields__:
        assert getattr(outcome, name) != getattr(Outcome(), name)


def test_an_outcome_of_an_older_version_lacks_what_it_did_not_know() -> None:
    assert outcome_from_data({"fault": "said", "reason": "no"}) == Outcome(Fault.SAID, "no")
    assert outcome_from_data({"fault": "", "frames": 3, "mood": "good"}) == Outcome(frames=3)


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "7", "null", '"job"', "{}", '{"event": 3}', "[" * 100_000, "\x00", '{"event": "started"}']
)
def test_whatever_is_no_line_of_ours_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        job_from_json(line)
    with pytest.raises(ValueError, match=r"."):
        event_from_data(message_from_json(line), JOB)
    with pytest.raises(ValueError, match=r"."):
        outcome_from_json(line)


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "dance"}',
        '{"event": "progressed", "stage": "pose", "done": "many", "total": 1}',
        '{"event": "progressed", "stage": "pose", "done": 1}',
        '{"event": "finished"}',
        '{"event": "finished", "outcome": {"fault": "boredom"}}',
        '{"event": "finished", "outcome": 3}',
        '{"event": ["finished"]}',
    ],
)
def test_events_that_lack_something_are_value_errors(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        event_from_data(message_from_json(line), JOB)


def test_messages_have_a_name() -> None:
    assert message_from_json(message_to_json("ready")) == {"event": "ready"}
    with pytest.raises(ValueError, match="no event"):
        message_from_json('{"name": "ready"}')
