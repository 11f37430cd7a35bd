"""What a disaster or a tired person brings in the middle of it costs no good copy, and no command leads nowhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from function_runtime.fence import Outcome
from function_runtime.fence_record import FenceRecord
from function_runtime.sites import Site
from operations.errors import RefusedError
from operations.reprotect.record import Record, StepName
from operations.reprotect.refusals import Words
from operations.reprotect.runner import reprotect
from tests.operations.reprotecting import (
    SETTLED,
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
from tests.operations.test_reprotect import is_protected, stopped_at, there, undone


def interrupted(cloud: Cloud, step: StepName, words: Words = SETTLED) -> None:
    """A call of the command that somebody stops when that step begins."""

    def tell(each: Any, record: Record) -> None:
        if each.name is step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reprotect(FakeWorld(cloud), FakeLayer(cloud), words, lambda line: None, tell)


# A successor that does not live


def successor_is_gone(cloud: Cloud) -> None:
    cloud.databases[P] = cloud.state[P] = None


def successor_has_lost_its_slot(cloud: Cloud) -> None:
    there(cloud.databases[P]).replication = "terminated"


def successor_failed(cloud: Cloud) -> None:
    there(cloud.databases[P]).status = "failed"


@pytest.mark.parametrize("happens", [successor_is_gone, successor_has_lost_its_slot, successor_failed])
def test_a_successor_that_is_lost_before_its_first_backup_is_made_anew(happens: Callable[[Cloud], None]) -> None:
    cloud = stopped_at(StepName.BACK_UP)
    happens(cloud)
    record, _ = run(cloud)
    assert is_protected(cloud, R)
    assert record is not None
    assert record.earlier[0]["outcome"] == "superseded"


def test_one_that_is_lost_while_its_backup_is_waited_for_stops_the_wait_and_the_next_call_makes_another() -> None:
    cloud = stopped_at(StepName.BACK_UP)

    def lose(name: str, when: str) -> None:
        if (name, when) == ("save", "after"):
            successor_has_lost_its_slot(cloud)

    cloud.strikes = lose
    with pytest.raises(RefusedError, match="call it again"):
        run(cloud)
    cloud.strikes = lambda name, when: None
    run(cloud)
    assert is_protected(cloud, R)


def test_one_that_is_lost_before_it_was_seen_does_not_have_it_wait_for_ever() -> None:
    cloud = stopped_at(StepName.RESUME)
    item = there(cloud.items[P.other])
    for each in item["steps"]:
        each["finished_at"] = None if each["step"] == "create" else each["finished_at"]
    cloud.databases[P] = None
    with pytest.raises(RefusedError, match=r"\./dr refresh -- data"):
        run(cloud)
    cloud.state[P] = None
    run(cloud)
    assert is_protected(cloud, R)


def test_a_standby_that_is_lost_while_authority_is_on_its_way_is_made_anew() -> None:
    cloud = deployed(authority=P)
    interrupted(cloud, StepName.BACK_UP)
    cloud.databases[R] = cloud.state[R] = None
    run(cloud)
    assert is_protected(cloud, P)


def test_an_adoption_of_the_same_writer_leaves_no_pause_of_ours_behind() -> None:
    cloud = stopped_at(StepName.RESUME)
    cloud.controllers = {site: replace(each, epoch=3) for site, each in cloud.controllers.items()}
    run(cloud)
    assert is_protected(cloud, R)


# The final snapshot


def test_a_final_snapshot_that_somebody_deletes_is_taken_again_by_the_next_call() -> None:
    cloud = stopped_at(StepName.DELETE)
    cloud.snapshots.clear()
    run(cloud)
    assert [each.status for each in cloud.snapshots.values()] == ["available"]
    assert is_protected(cloud, R)


def test_the_word_for_no_snapshot_counts_only_where_rds_can_make_none() -> None:
    cloud = failed_over()
    run(cloud, Words(without_snapshot=True, settled=True))
    assert [each.status for each in cloud.snapshots.values()] == ["available"]


def test_one_that_has_come_back_to_life_since_the_word_was_said_gets_its_snapshot() -> None:
    cloud, words = failed_over(), Words(without_snapshot=True, settled=True)
    there(cloud.databases[P]).status = "storage-full"
    interrupted(cloud, StepName.DELETE, words)
    there(cloud.databases[P]).status = "available"
    run(cloud, words)
    assert [each.status for each in cloud.snapshots.values()] == ["available"]


@pytest.mark.parametrize("status", ["modifying", "rebooting", "backing-up"])
def test_an_instance_that_is_busy_is_waited_for_and_not_taken_for_dead(status: str) -> None:
    cloud = failed_over()
    there(cloud.databases[P]).status = status

    def come_to_rest(name: str, when: str) -> None:
        if cloud.calls.count("instance") > 40 and cloud.databases[P] is not None:
            there(cloud.databases[P]).status = "available"

    cloud.strikes = come_to_rest
    run(cloud)
    assert [each.status for each in cloud.snapshots.values()] == ["available"]
    assert is_protected(cloud, R)


def test_a_stopped_one_is_to_be_started() -> None:
    cloud = failed_over()
    there(cloud.databases[P]).status = "stopped"
    with pytest.raises(RefusedError, match="start it"):
        run(cloud)
    assert cloud.calls.count("deploy") == 0


def test_the_final_snapshot_of_an_earlier_failover_is_not_the_one_of_this() -> None:
    cloud = stopped_at(StepName.DELETE)
    # Named the writer again, it takes writes until the next failover.
    for site in Site:
        cloud.controllers[site] = replace(cloud.controllers[site], epoch=3)
    cloud.guards[P] = FenceRecord(P, 3, Outcome.FENCED, "", START)
    run(cloud)
    assert [each.status for each in cloud.snapshots.values()] == ["available"] * 2
    assert is_protected(cloud, R)


def test_a_birth_that_somebody_has_written_into_the_file_deletes_nothing_by_the_first_deploy() -> None:
    cloud = failed_over()
    cloud.configuration["primaryBirth"] = "none"
    with pytest.raises(RefusedError, match="primaryBirth = none: it is there"):
        run(cloud)
    assert (cloud.deploys, cloud.deleted) == (0, [])


def test_what_was_about_to_be_deleted_for_an_earlier_failover_is_not_deleted_by_the_first_deploy_for_this() -> None:
    cloud = stopped_at(StepName.DELETE)
    cloud.configuration["primaryBirth"] = "none"
    for site in Site:
        cloud.controllers[site] = replace(cloud.controllers[site], epoch=3)
    cloud.guards[P] = FenceRecord(P, 3, Outcome.FENCED, "", START)
    with pytest.raises(RefusedError, match="put back what git has"):
        run(cloud)
    assert cloud.deleted == []
    cloud.configuration["primaryBirth"] = "original"
    run(cloud)
    assert is_protected(cloud, R)


@pytest.mark.parametrize("wrong", ["1", "2", "4", "7"])
def test_a_generation_that_was_wrong_in_the_file_is_counted_again_once_it_is_put_right(wrong: str) -> None:
    cloud = failed_over()
    there(cloud.state[P]).generation = 3
    cloud.configuration["primaryGeneration"] = wrong
    # A deploy with it is refused before it changes anything.
    interrupted(cloud, StepName.FOLLOW)
    assert there(cloud.items[R])["generation"] == int(wrong) + 1
    cloud.configuration["primaryGeneration"] = "3"
    run(cloud)
    assert cloud.configuration["primaryGeneration"] == "4"
    assert is_protected(cloud, R)


# The writer


@pytest.mark.parametrize("status", ["storage-full", "failed", "inaccessible-encryption-credentials", "deleting"])
@pytest.mark.parametrize("made", [failed_over, broken_standby])
def test_no_copy_goes_while_the_writer_does_not_work(made: Callable[[], Cloud], status: str) -> None:
    cloud = made()
    writer = cloud.controllers[R].writer_site
    there(cloud.databases[writer]).status = status
    with pytest.raises(RefusedError, match=status):
        run(cloud)
    assert (cloud.deleted, cloud.deploys) == ([], 0)


def test_no_copy_goes_when_the_writer_fails_in_between() -> None:
    cloud = stopped_at(StepName.DELETE)
    there(cloud.databases[R]).status = "failed"
    with pytest.raises(RefusedError, match="failed"):
        run(cloud)
    assert cloud.deleted == []


def test_no_copy_goes_while_the_writer_is_busy() -> None:
    cloud = stopped_at(StepName.DELETE)
    there(cloud.databases[R]).status = "modifying"

    def come_to_rest(name: str, when: str) -> None:
        assert cloud.deleted == [] or there(cloud.databases[R]).status == "available"
        if cloud.calls.count("instance") > 60:
            there(cloud.databases[R]).status = "available"

    cloud.strikes = come_to_rest
    run(cloud)
    assert is_protected(cloud, R)


@pytest.mark.parametrize("made", [failed_over, broken_standby])
def test_no_copy_goes_while_rds_would_make_no_replica_of_the_writer(made: Callable[[], Cloud]) -> None:
    cloud = made()
    there(cloud.databases[cloud.controllers[R].writer_site]).keeps_backups = False
    with pytest.raises(RefusedError, match="automated backups are off"):
        run(cloud)
    assert (cloud.deleted, cloud.deploys) == ([], 0)


# An instance that somebody has deleted by hand


def test_an_old_writer_that_is_gone_is_not_made_anew_as_an_empty_database() -> None:
    cloud = failed_over()
    cloud.databases[P] = cloud.state[P] = None
    born: list[str | None] = []

    def watch(name: str, when: str) -> None:
        if name == "deploy" and cloud.databases[P] is not None:
            born.append(there(cloud.databases[P]).replica_of)

    cloud.strikes = watch
    run(cloud)
    assert set(born) == {cloud.arn(R)}
    assert cloud.configuration["primaryGeneration"] == "2"
    assert is_protected(cloud, R)


def test_one_that_goes_while_somebody_looks_at_it_is_not_made_anew_either() -> None:
    cloud = failed_over()
    run(cloud, keep_looking=True)
    cloud.databases[P] = None
    with pytest.raises(RefusedError, match=r"\./dr refresh -- data"):
        run(cloud)
    cloud.state[P] = None
    run(cloud)
    assert there(cloud.databases[P]).replica_of == cloud.arn(R)
    assert is_protected(cloud, R)


# Another person, in another checkout


@pytest.mark.parametrize("step", [each for each in StepName if each is not StepName.FOLLOW])
def test_somebody_goes_on_from_a_checkout_that_has_nothing_of_what_was_changed(step: StepName) -> None:
    before = dict(failed_over().configuration)
    cloud = stopped_at(step)
    # As it was deployed, but for what this command changes.
    cloud.configuration = {**cloud.configuration, "activeSite": before["activeSite"]}
    cloud.configuration.pop("retiring", None)
    run(cloud)
    # Where nothing of the data layer was left to do, it follows by a call of its own.
    run(cloud)
    assert is_protected(cloud, R)


def test_somebody_elses_deploy_protects_the_old_instance_again_while_its_snapshot_is_taken() -> None:
    cloud = stopped_at(StepName.DELETE)
    there(cloud.state[P]).protected = True
    with pytest.raises(RefusedError, match="protected"):
        run(cloud)
    run(cloud)
    assert is_protected(cloud, R)


# Going back


@pytest.mark.parametrize("step", [StepName.PAUSE, StepName.RELEASE, StepName.SNAPSHOT])
def test_what_is_taken_back_is_protected_again_wherever_it_was_released(step: StepName) -> None:
    cloud = stopped_at(step)
    undone(cloud)
    assert there(cloud.state[P]).protected
    assert "retiring" not in cloud.configuration


def test_it_is_taken_back_from_another_checkout_too() -> None:
    cloud = stopped_at(StepName.SNAPSHOT)
    del cloud.configuration["retiring"]
    undone(cloud)
    assert there(cloud.state[P]).protected


def test_what_is_gone_is_not_made_anew_by_taking_back_what_was_begun() -> None:
    cloud = stopped_at(StepName.SNAPSHOT)
    cloud.databases[P] = cloud.state[P] = None
    undone(cloud)
    assert cloud.databases[P] is None
    run(cloud)
    assert is_protected(cloud, R)


# A standby


@pytest.mark.parametrize("status", ["modifying", "rebooting", "upgrading", "maintenance"])
def test_a_replica_that_rds_is_at_work_on_is_not_replaced(status: str) -> None:
    cloud = deployed()
    there(cloud.databases[R]).status = status
    # As it was a moment before.
    cloud.calls_broken = True
    with pytest.raises(RefusedError, match="wait for the end"):
        run(cloud)
    assert (cloud.deploys, cloud.deleted, cloud.items) == (0, [], {P: None, R: None})


def test_a_standby_that_rds_calls_failed_is_no_protection() -> None:
    cloud = broken_standby()
    there(cloud.databases[R]).replication = None
    there(cloud.databases[R]).status = "failed"
    run(cloud)
    assert cloud.deleted == [("DB-recovery-0", False)]
    assert is_protected(cloud, P)
