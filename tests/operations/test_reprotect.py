"""A standby is made for the present writer, whatever the reason is that there is none; then nothing is left to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from function_runtime.control import Pause
from function_runtime.sites import Site
from function_runtime.state import Controller
from operations.errors import RefusedError
from operations.reprotect.plan import STEPS, plan
from operations.reprotect.record import Reason, Record, StepName
from operations.reprotect.refusals import Words
from operations.reprotect.runner import reprotect, undo
from operations.reprotect.seen import look
from tests.operations.reprotecting import (
    ALICE,
    START,
    Cloud,
    FakeLayer,
    FakeWorld,
    P,
    R,
    broken_standby,
    deployed,
    failed_over,
    run,
)

Thing = TypeVar("Thing")


def there(thing: Thing | None) -> Thing:
    """What a test knows to be there."""
    assert thing is not None
    return thing


def steps_left(cloud: Cloud) -> list[str]:
    return [each.name.value for each in plan(look(FakeWorld(cloud), FakeLayer(cloud))).steps]


def is_protected(cloud: Cloud, writer: Site) -> bool:
    standby, made = cloud.databases[writer.other], cloud.state[writer.other]
    return (
        standby is not None
        and made is not None
        and (standby.replica_of, made.resource_id) == (cloud.arn(writer), standby.resource_id)
        and made.protected
        and all(controller.authority is writer.other for controller in cloud.controllers.values())
        and cloud.handovers == {P: None, R: None}
        and all(control.pause is None for control in cloud.controls.values())
        and cloud.configuration["activeSite"] == writer
        and "retiring" not in cloud.configuration
    )


def no_instance() -> Cloud:
    cloud = deployed()
    cloud.databases[R] = cloud.state[R] = None
    cloud.configuration |= {"recoveryBirth": "none"}
    return cloud


def authority_elsewhere() -> Cloud:
    return deployed(authority=P)


@pytest.mark.parametrize(
    ("made", "writer", "steps"),
    [
        (failed_over, R, [each.name.value for each in STEPS]),
        (lambda: failed_over(R), P, [each.name.value for each in STEPS]),
        (broken_standby, P, [each.name.value for each in STEPS]),
        (no_instance, P, ["follow", "create", "resume", "back_up", "hand_over"]),
        (authority_elsewhere, P, ["back_up", "hand_over"]),
        (deployed, P, []),
    ],
    ids=["failed over", "failed over the other way", "standby broken", "no instance", "authority elsewhere", "well"],
)
def test_what_is_planned_is_done_and_then_nothing_is_left(
    made: Callable[[], Cloud], writer: Site, steps: list[str]
) -> None:
    cloud = made()
    assert steps_left(cloud) == steps
    record, said = run(cloud)
    assert [line.removesuffix(" done") for line in said if line.endswith(" done")] == steps
    assert is_protected(cloud, writer)
    assert steps_left(cloud) == []
    assert (record is None) == (not steps)
    if record is not None:
        assert (record.finished_at is not None, record.outcome) == (True, "finished")
    assert not any(took_writes for _, took_writes in cloud.deleted)


def test_the_generation_grows_and_the_writers_does_not() -> None:
    cloud = failed_over()
    for expected in ("2", "3"):
        run(cloud)
        assert (cloud.configuration["primaryGeneration"], cloud.configuration["recoveryGeneration"]) == (expected, "1")
        there(cloud.databases[P]).replication = "terminated"


def test_the_old_writers_final_snapshot_is_there_before_it_goes() -> None:
    cloud = failed_over()
    run(cloud)
    assert cloud.snapshots["final-database-primary-DB-primary-0-1"].status == "available"
    assert cloud.deleted == [("DB-primary-0", False)]


def test_a_broken_replica_has_nothing_of_its_own_and_gets_no_snapshot_and_the_writer_is_not_touched() -> None:
    cloud = broken_standby()
    writer, authority = cloud.databases[P], [each.authority for each in cloud.controllers.values()]
    run(cloud)
    assert cloud.snapshots == {}
    assert cloud.databases[P] is writer
    assert [each.authority for each in cloud.controllers.values()] == authority
    assert cloud.controls[P].instruction is cloud.controls[R].instruction is None


def test_a_replica_that_the_controller_calls_broken_is_made_anew() -> None:
    cloud = deployed()
    assert steps_left(cloud) == []
    cloud.calls_broken = True
    assert steps_left(cloud)[0] == "follow"


def test_the_copiers_replication_ends_before_the_program_declares_its_own() -> None:
    cloud = failed_over()
    run(cloud)
    assert cloud.replicated == {R: True}
    assert cloud.calls.index("stop_replicating_backups_of") < cloud.calls.index("deploy")


def test_somebody_who_wants_to_look_first_keeps_the_old_instance_protected_and_goes_on_later() -> None:
    cloud = failed_over()
    record, _ = run(cloud, keep_looking=True)
    assert record is not None
    assert record.finished_at is None
    assert cloud.configuration["activeSite"] == "recovery"
    assert there(cloud.state[P]).protected
    assert cloud.controls[R].pause is None
    again, said = run(cloud, keep_looking=True)
    assert (again, said) == (record, [])
    run(cloud)
    assert is_protected(cloud, R)


def test_the_other_persons_pause_is_kept_and_goes_with_authority() -> None:
    cloud = failed_over()
    theirs = Pause("bob", START, "rebuild")
    cloud.controls[R] = cloud.controls[R].with_pause(theirs)
    run(cloud)
    assert (cloud.controls[R].pause, cloud.controls[P].pause) == (theirs, theirs)


def test_what_ended_before_stays_in_the_history() -> None:
    cloud = failed_over()
    run(cloud)
    there(cloud.databases[P]).replication = "terminated"
    record, _ = run(cloud)
    assert record is not None
    assert [(each["reason"], each["outcome"]) for each in record.earlier] == [("failed_over", "finished")]
    assert Record.from_item(record.as_item()) == record


def test_the_copier_sees_in_the_item_that_it_is_under_way() -> None:
    cloud = failed_over()
    run(cloud, keep_looking=True)
    assert "finished_at" not in (cloud.items[R] or {})
    run(cloud)
    assert "finished_at" in (cloud.items[R] or {})


# What is refused


def incident(cloud: Cloud) -> None:
    cloud.controllers[R] = replace(cloud.controllers[R], incident_id="000002-x")


def another_instance(cloud: Cloud) -> None:
    there(cloud.state[P]).resource_id = "DB-another"


def open_to_clients(cloud: Cloud) -> None:
    there(cloud.databases[P]).is_quarantined = False


def connections_may_live(cloud: Cloud) -> None:
    cloud.guards[P] = None


def dark(cloud: Cloud) -> None:
    cloud.dark = {P}


def retires_the_writer(cloud: Cloud) -> None:
    cloud.configuration["retiring"] = "recovery"


def no_writer_declared(cloud: Cloud) -> None:
    cloud.configuration["recoveryBirth"] = "none"


def unknown_site(cloud: Cloud) -> None:
    cloud.configuration["activeSite"] = "moon"


def dead(cloud: Cloud) -> None:
    there(cloud.databases[P]).status = "failed"


def writer_not_in_the_state(cloud: Cloud) -> None:
    cloud.state[R] = None


def anothers_handover(cloud: Cloud) -> None:
    cloud.handovers[R] = {"to": "primary"}


@pytest.mark.parametrize(
    ("happens", "words", "told"),
    [
        (incident, Words(settled=True), r"incident = 000002-x: it is under way"),
        (another_instance, Words(settled=True), "Pulumi's state says DB-another: it is another instance"),
        (open_to_clients, Words(settled=True), r"may take writes: it is in the security groups \['sg-database'\]"),
        (connections_may_live, Words(settled=True), "no guard has recorded that its connections ended"),
        (
            lambda cloud: None,
            Words(),
            r"split writes = .*a person named the writer and .*--split-writes-settled",
        ),
        (dark, Words(settled=True), "wait until it does, then call this again; until then nothing protects"),
        (retires_the_writer, Words(settled=True), "retiring = recovery: its database takes writes"),
        (no_writer_declared, Words(settled=True), "recoveryBirth = none"),
        (unknown_site, Words(settled=True), "activeSite = moon: give one of primary, recovery"),
        (dead, Words(settled=True), "--without-final-snapshot"),
        (writer_not_in_the_state, Words(settled=True), "not in Pulumi's state"),
        (anothers_handover, Words(settled=True), r"handover = .under way.: wait for its end"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_would_not_end_well_is_refused_before_anything_is_changed(
    happens: Callable[[Cloud], None], words: Words, told: str
) -> None:
    cloud = failed_over()
    happens(cloud)
    with pytest.raises(RefusedError, match=told):
        run(cloud, words)
    assert (cloud.deploys, cloud.deleted, cloud.items) == (0, [], {P: None, R: None})


def test_an_instance_that_rds_makes_no_snapshot_of_goes_with_an_explicit_word() -> None:
    cloud = failed_over()
    dead(cloud)
    run(cloud, Words(without_snapshot=True, settled=True))
    assert cloud.deleted == [("DB-primary-0", False)]
    assert is_protected(cloud, R)


def test_a_failed_snapshot_stops_it_before_anything_is_removed() -> None:
    cloud = failed_over()

    def fail(name: str, when: str) -> None:
        if name == "snapshot":
            cloud.snapshots = {key: replace(each, status="failed") for key, each in cloud.snapshots.items()}

    cloud.strikes = fail
    with pytest.raises(RefusedError, match=r"final snapshot = .*failed.*nothing is removed"):
        run(cloud)
    assert cloud.deleted == []


def test_a_snapshot_that_somebody_deletes_in_between_stops_it_too() -> None:
    cloud = failed_over()

    def lose(name: str, when: str) -> None:
        if name == "change" and cloud.configuration.get("primaryBirth") == "none":
            cloud.snapshots.clear()

    cloud.strikes = lose
    with pytest.raises(RefusedError, match="nothing is removed without it"):
        run(cloud)
    assert cloud.deleted == []


def test_two_people_at_once_are_one() -> None:
    cloud = failed_over()

    def other_writes(name: str, when: str) -> None:
        item = cloud.items[R]
        if name == "save" and when == "before" and item is not None and item["version"] == 3:
            cloud.items[R] = {**item, "version": 4}

    cloud.strikes = other_writes
    with pytest.raises(RefusedError, match="try again"):
        run(cloud)


# Going back


def undone(cloud: Cloud) -> Record:
    return undo(FakeWorld(cloud), FakeLayer(cloud), lambda line: None)


def stopped_at(step: StepName) -> Cloud:
    """A reprotection that somebody has interrupted in that step."""
    cloud = failed_over()
    world, layer = FakeWorld(cloud), FakeLayer(cloud)

    def tell(each: Any, record: Record) -> None:
        if each.name is step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reprotect(world, layer, Words(settled=True), lambda line: None, tell)
    return cloud


def test_before_the_old_instance_is_gone_everything_leads_back() -> None:
    cloud = stopped_at(StepName.SNAPSHOT)
    assert cloud.controls[R].pause is not None
    record = undone(cloud)
    assert (record.outcome, record.finished_at is not None) == ("undone", True)
    assert cloud.controls[R].pause is None
    assert there(cloud.state[P]).protected
    assert "retiring" not in cloud.configuration
    assert cloud.configuration["activeSite"] == "recovery"
    run(cloud)
    assert is_protected(cloud, R)


@pytest.mark.parametrize("step", [StepName.DELETE, StepName.CREATE, StepName.BACK_UP])
def test_after_that_it_only_goes_forward(step: StepName) -> None:
    cloud = stopped_at(step)
    with pytest.raises(RefusedError, match=r"--undo = .the old instance was removed"):
        undone(cloud)
    run(cloud)
    assert is_protected(cloud, R)


def test_a_handover_is_taken_back_as_long_as_authority_is_not_given_up() -> None:
    cloud = authority_elsewhere()

    def interrupt(name: str, when: str) -> None:
        if cloud.handovers[P] is not None:
            raise KeyboardInterrupt

    cloud.strikes = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(cloud)
    cloud.strikes = lambda name, when: None
    undone(cloud)
    assert cloud.handovers[P] is None
    assert cloud.controllers[P].authority is P


def test_where_nothing_is_under_way_nothing_is_undone() -> None:
    with pytest.raises(RefusedError, match=r"--undo = .nothing is under way"):
        undone(deployed())


def test_a_failover_in_the_middle_supersedes_it() -> None:
    cloud = stopped_at(StepName.BACK_UP)
    # A person has named the new replica the writer, for instance.
    old, new = there(cloud.databases[R]), there(cloud.databases[P])
    old.is_quarantined, new.replica_of = True, None
    for site in Site:
        cloud.controllers[site] = Controller(version=20, epoch=2, writer_site=P, authority=P)
    cloud.guards[R] = replace(there(cloud.guards[P]), site=R, epoch=2)
    assert steps_left(cloud)[0] == "follow"
    run(cloud)
    assert is_protected(cloud, P)
    assert (cloud.items[P] or {})["by"] == ALICE


def test_the_plan_says_how_long_it_takes() -> None:
    seen = look(FakeWorld(failed_over()), FakeLayer(failed_over()))
    told = plan(seen).as_json()
    assert (told["reason"], told["site"], told["generation"]) == (Reason.FAILED_OVER.value, "primary", 2)
    assert timedelta(minutes=plan(seen).minutes) > timedelta(minutes=40)
