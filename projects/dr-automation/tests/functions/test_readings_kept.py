"""What is made of readings before they count, and what is remembered of a trouble and of a concern."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aws_in_memory.clock import START as NOW
from aws_in_memory.drawn import series
from function_runtime.readings import MIN_FAILED_PROBES, Datapoint, Instance, Unanswered, coarser, series_of
from function_runtime.trouble import Kind, Trouble, Unready

SECOND = timedelta(seconds=1)
FORGOTTEN_AFTER = timedelta(seconds=3)
REPLICA = Instance("available", "arn:source", {})


def test_three_failed_probes_are_the_fewest_that_prove_an_outage() -> None:
    assert MIN_FAILED_PROBES == 3


def test_a_longer_period_has_the_extremes_and_all_samples_of_the_shorter_ones_in_it() -> None:
    values = series(1, 0, 4, 2, 3, None, None, 5)
    first = NOW - 8 * SECOND
    assert coarser(values, 4) == (Datapoint(first, 4, 0, 4), Datapoint(first + 4 * SECOND, 5, 3, 2))
    assert coarser(values, 1) == values
    assert coarser((), 4) == ()


def test_a_longer_period_begins_at_a_multiple_of_itself_whatever_is_in_it() -> None:
    assert coarser(series(1), 4) == (Datapoint(NOW - 4 * SECOND, 1, 1, 1),)
    assert coarser(series(1, 1, until=NOW + SECOND), 4) == (
        Datapoint(NOW - 4 * SECOND, 1, 1, 1),
        Datapoint(NOW, 1, 1, 1),
    )


def test_what_brought_no_answer_or_was_not_asked_has_no_datapoints() -> None:
    assert series_of(None) == series_of(Unanswered("timed out", service_answered=False)) == ()
    assert series_of(series(1)) == series(1)


@pytest.mark.parametrize(
    ("instance", "could"),
    [
        (REPLICA, True),
        (replace(REPLICA, status="backing-up"), True),
        (replace(REPLICA, status="modifying"), False),
        (replace(REPLICA, replica_of=None), False),
        (replace(REPLICA, replication_ended=True), False),
    ],
)
def test_a_replica_that_works_could_take_over(instance: Instance, could: bool) -> None:
    assert instance.could_take_over is could
    assert replace(instance, status="failed").is_failed
    assert not instance.is_failed


def test_a_concern_that_comes_and_goes_lasts_until_it_is_forgotten() -> None:
    first = Unready.seen(["lag"], NOW, None, FORGOTTEN_AFTER)
    assert first == Unready({"lag": NOW}, {"lag": NOW})
    assert first is not None
    told = first.tell("lag")
    away = Unready.seen([], NOW + FORGOTTEN_AFTER, told, FORGOTTEN_AFTER)
    assert away == told
    assert Unready.seen([], NOW + FORGOTTEN_AFTER + SECOND, told, FORGOTTEN_AFTER) is None
    again = Unready.seen(["lag", "probes"], NOW + 2 * SECOND, told, FORGOTTEN_AFTER)
    later = NOW + 2 * SECOND
    assert again == Unready({"lag": NOW, "probes": later}, {"lag": later, "probes": later}, ("lag",))
    assert Unready.seen(["probes"], NOW + 4 * SECOND, told, FORGOTTEN_AFTER) == Unready(
        {"probes": NOW + 4 * SECOND}, {"probes": NOW + 4 * SECOND}
    )


def test_a_concern_of_an_older_version_was_seen_when_it_began() -> None:
    item = Unready({"lag": NOW}, {"lag": NOW + SECOND}, ("lag",)).as_item()
    assert Unready.from_item(item) == Unready({"lag": NOW}, {"lag": NOW + SECOND}, ("lag",))
    del item["seen_at"]
    assert Unready.from_item(item) == Unready({"lag": NOW}, {"lag": NOW}, ("lag",))


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(Kind.FAILING, NOW, NOW + SECOND),
        Trouble(Kind.HUNG, NOW, NOW + SECOND, 0.5, ("hung",), NOW, NOW - SECOND, "000001-x", NOW + SECOND),
    ],
)
def test_a_trouble_is_read_as_it_was_written(trouble: Trouble) -> None:
    assert Trouble.from_item(trouble.as_item()) == trouble
    assert trouble.is_hung is (trouble.kind is Kind.HUNG)
    assert trouble.has_shown_life is (trouble.lived_at is not None)
    assert trouble.tell("again").told == (*trouble.told, "again")


def test_an_older_version_takes_a_hung_writer_for_one_that_comes_and_goes() -> None:
    assert Trouble(Kind.HUNG, NOW, NOW).as_item()["kind"] == "flapping"
    assert Trouble(Kind.SILENT, NOW, NOW).as_item()["kind"] == "silent"
