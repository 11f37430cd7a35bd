"""Interrupted after any call and started again, it ends in the same place, and deletes nothing that takes writes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from function_runtime.sites import Site
from operations.errors import RefusedError
from tests.operations.reprotecting import Cloud, FakeLayer, Killed, R, broken_standby, deployed, failed_over, run
from tests.operations.test_reprotect import authority_elsewhere, is_protected, no_instance

CASES: dict[str, tuple[Callable[[], Cloud], Site]] = {
    "failed over": (failed_over, R),
    "failed over the other way": (lambda: failed_over(R), R.other),
    "standby broken": (broken_standby, R.other),
    "no instance": (no_instance, R.other),
    "authority elsewhere": (authority_elsewhere, R.other),
}
EVENTS = ("kill", "dark", "adopt", "open", "promote", "replace", "resume", "incident")
MOST_HAPPENINGS = 3
BEFORE_A_LOOK = ("tables", "save", "tell", "change")


def end(cloud: Cloud) -> dict[str, object]:
    """Where it has ended, without what differs from life to life: ids and times."""
    standby = {site: None if each is None else each.replica_of for site, each in cloud.databases.items()}
    return {
        "standby": standby,
        "configuration": cloud.configuration,
        "authority": {site: each.authority for site, each in cloud.controllers.items()},
        "paused": {site: each.pause is not None for site, each in cloud.controls.items()},
        "deleted": len(cloud.deleted),
        "snapshots": len(cloud.snapshots),
    }


class Strike:
    """Ends the process at a moment, once."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.struck = False

    def __call__(self, name: str, when: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.struck = True
            raise Killed


def moments_of(made: Callable[[], Cloud]) -> int:
    cloud, seen = made(), [0]

    def counted(name: str, when: str) -> None:
        seen[0] += 1

    cloud.strikes = counted
    run(cloud)
    return seen[0]


@pytest.mark.parametrize("case", CASES)
def test_killed_at_any_moment_and_called_again_it_ends_in_the_same_place(case: str) -> None:
    made, writer = CASES[case]
    undisturbed = made()
    run(undisturbed)
    moments = moments_of(made)
    assert moments > 20
    for moment in range(1, moments + 1):
        cloud = made()
        cloud.strikes = strike = Strike(moment)
        with suppress(Killed):
            run(cloud)
        assert strike.struck
        cloud.strikes = lambda name, when: None
        run(cloud)
        assert end(cloud) == end(undisturbed), moment
        assert is_protected(cloud, writer), moment
        assert not any(took_writes for _, took_writes in cloud.deleted)


def happen(event: str, cloud: Cloud) -> None:
    """Something that a disaster or another person brings, in the middle of it."""
    if event == "kill":
        raise Killed
    if event == "dark":
        cloud.dark = {Site.PRIMARY}
    elif event == "resume":
        cloud.controls = {site: control.with_pause(None) for site, control in cloud.controls.items()}
    elif event == "incident":
        cloud.controllers = {site: replace(each, incident_id="000009-x") for site, each in cloud.controllers.items()}
    elif event == "adopt":
        adopt(cloud)
    elif event == "open":
        for database in cloud.databases.values():
            if database is not None:
                database.is_quarantined = False
    elif event == "promote":
        # By hand, past every record.
        for database in cloud.databases.values():
            if database is not None:
                database.replica_of = None
    elif event == "replace":
        # Under the same names, and not in Pulumi's state.
        for database in cloud.databases.values():
            if database is not None:
                database.resource_id += "-by-hand"


def adopt(cloud: Cloud) -> None:
    """A person names the other database the writer: it is opened, and the present one shut."""
    writer = max(cloud.controllers.values(), key=lambda each: each.epoch).writer_site
    other, present = cloud.databases[writer.other], cloud.databases[writer]
    if other is None or present is None:
        return
    other.is_quarantined, other.replica_of, present.is_quarantined = False, None, True
    epoch = max(each.epoch for each in cloud.controllers.values()) + 1
    cloud.controllers = {
        site: replace(each, epoch=epoch, writer_site=writer.other, authority=writer, incident_id=None)
        for site, each in cloud.controllers.items()
    }


@settings(max_examples=300, deadline=None)
@given(
    case=st.sampled_from(sorted(CASES)),
    happenings=st.lists(st.tuples(st.integers(1, 150), st.sampled_from(EVENTS)), max_size=MOST_HAPPENINGS),
)
def test_whatever_happens_in_between_nothing_that_takes_writes_is_deleted(
    case: str, happenings: list[tuple[int, str]]
) -> None:
    made, writer = CASES[case]
    cloud = made()
    for moment, event in happenings:
        left = [moment]

        def strikes(name: str, when: str, left: list[int] = left, event: str = event) -> None:
            left[0] -= 1
            # Nobody can look and act at the same time: what happens after the last look is met by no check.
            if left[0] <= 0 and name in BEFORE_A_LOOK:
                left[0] = 10**9
                happen(event, cloud)

        cloud.strikes = strikes
        with suppress(Killed, RefusedError):
            run(cloud)
        cloud.dark = set()
    cloud.strikes = lambda name, when: None
    for _ in range(2):
        with suppress(RefusedError):
            run(cloud)
    assert not any(took_writes for _, took_writes in cloud.deleted)
    assert any(each is not None and each.takes_writes for each in cloud.databases.values())
    assert not any("by-hand" in resource_id for resource_id, _ in cloud.deleted)
    if {event for _, event in happenings} <= {"kill", "dark", "resume"}:
        assert is_protected(cloud, writer)


def test_a_dark_region_in_the_middle_is_waited_for_and_then_it_goes_on() -> None:
    for moment in range(1, moments_of(failed_over) + 1, 3):
        cloud = failed_over()
        left = [moment]

        def darkens(name: str, when: str, cloud: Cloud = cloud, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                cloud.dark = {Site.PRIMARY}

        cloud.strikes = darkens
        # Of a region that goes dark at the very end nothing is noticed any more.
        with suppress(RefusedError):
            run(cloud)
        cloud.strikes = lambda name, when: None
        cloud.dark = set()
        run(cloud)
        assert is_protected(cloud, R), moment


def test_the_world_of_these_tests_notices_a_deletion_of_a_writer() -> None:
    cloud = deployed()
    cloud.configuration |= {"retiring": "recovery"}
    FakeLayer(cloud).deploy(lambda line: None)
    cloud.configuration |= {"recoveryBirth": "none"}
    standby = cloud.databases[R]
    assert standby is not None
    standby.replica_of = None
    FakeLayer(cloud).deploy(lambda line: None)
    assert cloud.deleted == [("DB-recovery-0", True)]
