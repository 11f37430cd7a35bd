"""A person ends a failover that nothing else ends, or names the writer of a lost state, and sees what that leaves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from aws_in_memory.aws import Call
from aws_in_memory.deployed import healthy, writer_dead
from aws_in_memory.faults import before
from function_runtime.incident import Incident
from function_runtime.sites import Site
from operations.errors import NoReportError, RefusedError
from operations.instruction_command import left_by
from tests.operations.terminal import ALICE, Terminal, silence


def stuck() -> tuple[Terminal, str]:
    """A failover whose replica can never be promoted."""
    terminal = Terminal(writer_dead())

    def end_replication(call: Call) -> None:
        if "rebooted" in terminal.aws.events:
            terminal.aws.standby.replication_ended = True

    terminal.aws.fault = before(end_replication)
    assert terminal.tick()["code"] == "blocked"
    return terminal, terminal.aws.incidents[0]["incident_id"]


def lost() -> Terminal:
    terminal = Terminal(writer_dead())
    terminal.tick()
    terminal.aws.writer.comes_back(terminal.aws.now)
    terminal.aws.items.clear()
    return terminal


def test_a_stuck_failover_is_abandoned_and_the_old_writer_gets_its_clients_back() -> None:
    terminal, incident_id = stuck()
    assert terminal.give(f"failover --abandon {incident_id} --dry-run") == 0
    assert "primary stays the writer on record" in terminal.printed
    assert "Dry run: nothing was done." in terminal.printed
    assert terminal.control == {}
    assert terminal.give(f"failover --abandon {incident_id} --yes") == 0
    assert f"Incident {incident_id} is closed. abandoned: primary stays the writer" in terminal.printed
    assert terminal.aws.writer.groups == {"sg-database-primary": "active"}
    assert terminal.control["instruction"]["by"] == ALICE


def test_nothing_is_abandoned_that_is_not_named_or_not_confirmed() -> None:
    terminal, incident_id = stuck()
    with pytest.raises(RefusedError, match=f"name the incident that is under way: {incident_id}"):
        terminal.give("failover --abandon 000009-x --yes")
    terminal.person.types = ["no"]
    with pytest.raises(RefusedError, match="nothing was done"):
        terminal.give(f"failover --abandon {incident_id}")
    assert terminal.control == {}


def test_what_is_left_is_said_for_before_and_after_the_promotion_was_asked_for() -> None:
    terminal, _ = stuck()
    incident = Incident.from_item(terminal.aws.incidents[0])
    assert "nothing is lost" in left_by(incident)[1]
    done = Terminal(writer_dead())
    done.tick()
    assert "What RDS shows then decides" in left_by(Incident.from_item(done.aws.incidents[0]))[0]


def accepted(**standby: Any) -> tuple[Terminal, str]:
    """RDS has accepted the promotion, and does not end it."""
    aws = writer_dead()
    aws.standby.promotion_takes = timedelta(hours=2)
    for name, value in standby.items():
        setattr(aws.standby, name, value)
    terminal = Terminal(aws)
    assert terminal.tick()["code"] == "to_be_continued"
    return terminal, aws.incidents[0]["incident_id"]


def test_a_promotion_under_way_is_not_abandoned_and_status_says_where_the_name_leads() -> None:
    terminal, incident_id = accepted()
    with pytest.raises(RefusedError, match="calls it modifying; it is given up only after RDS has shown an available"):
        terminal.give(f"failover --abandon {incident_id} --yes")
    assert terminal.control == {}
    terminal.give("status")
    assert "the name moves to recovery: RDS promotes its database, which takes no writes yet" in terminal.printed


def test_a_dropped_promotion_is_abandoned_after_a_minute_and_not_before() -> None:
    terminal, incident_id = accepted(drops_promotions=[timedelta(seconds=10)] * 9)
    with pytest.raises(RefusedError, match="calls it available; it is given up only after"):
        terminal.give(f"failover --abandon {incident_id} --yes")
    terminal.aws.sleep(15)
    assert terminal.give(f"failover --abandon {incident_id} --dry-run") == 0
    assert "gets its name and its security group back" in terminal.printed
    assert terminal.give(f"failover --abandon {incident_id} --yes") == 0
    assert f"Incident {incident_id} is closed. abandoned: primary stays the writer" in terminal.printed
    terminal.aws.sleep(1)
    terminal.tick()
    assert terminal.aws.name is Site.PRIMARY
    assert terminal.aws.writer.groups == {"sg-database-primary": "active"}


@pytest.mark.parametrize("site", list(Site))
def test_a_lost_state_is_settled_by_naming_the_writer(site: Site) -> None:
    terminal = lost()
    terminal.aws.writer.groups = {"sg-database-primary": "active"}
    terminal.person.types = [site]
    assert terminal.give(f"failover --adopt {site}") == 0
    assert "StateLostError" in terminal.printed
    assert f"The writer is {site}, epoch" in terminal.printed


def test_a_replica_cannot_be_adopted() -> None:
    terminal = lost()
    terminal.aws.writer.source = "arn:database-recovery"
    assert terminal.give("failover --adopt primary --yes") == 1
    assert "Not carried out yet; it is void from" in terminal.printed


def test_a_state_that_is_not_lost_needs_no_adoption() -> None:
    terminal = Terminal(healthy())
    with pytest.raises(RefusedError, match="and this one is its replica: order a failover instead"):
        terminal.give("failover --adopt recovery --yes")
    with pytest.raises(RefusedError, match="nothing is to be settled"):
        terminal.give("failover --adopt primary --yes")
    terminal.function.failure = silence()
    with pytest.raises(NoReportError):
        terminal.give("failover --adopt recovery --yes")


def test_a_writer_that_is_shut_without_a_failover_is_opened_by_adopting_it() -> None:
    terminal = Terminal(healthy())
    terminal.tick()
    terminal.aws.writer.groups = {"sg-quarantine-primary": "active"}
    assert terminal.give("failover --adopt primary --yes") == 0
    assert "gives its database, where that is shut, its own security group back" in terminal.printed
    assert terminal.aws.writer.groups == {"sg-database-primary": "active"}


def test_a_cancellation_takes_a_planned_failover_back_and_says_what_has_become_of_it() -> None:
    terminal = Terminal(healthy(slot_lag_bytes=0.0))
    terminal.tick()
    terminal.give("failover --planned --yes --no-wait")
    terminal.tick_killed_at("rds.reboot_db_instance")
    terminal.aws.sleep(21)
    terminal.give("failover --cancel")
    assert "taken back: primary stays the writer" in terminal.printed
    assert terminal.aws.writer.groups == {"sg-database-primary": "active"}


def test_a_pause_of_an_emergency_says_held_when_nothing_is_under_way_any_more() -> None:
    terminal = Terminal(writer_dead())
    terminal.tick_killed_at("rds.promote_read_replica")
    incident = terminal.aws.incidents[0]
    terminal.give("pause --reason wait")
    assert f"{incident['incident_id']} has asked RDS to promote" in terminal.printed
    held = Terminal(writer_dead())
    held.tick_killed_at("rds.modify_db_instance")
    held.give("pause --reason wait")
    assert "Held: Incident" in held.printed
    assert "--abandon" in held.printed
    held.give("resume")
    assert "a resume does not decide anew whether the writer is dead" in held.printed


def test_a_cancellation_says_that_it_ends_no_emergencys_failover() -> None:
    terminal = Terminal(writer_dead())
    terminal.give("failover --forced --accept-loss-seconds 60 --yes --no-wait")
    terminal.tick_killed_at("rds.modify_db_instance")
    terminal.give("failover --cancel")
    assert "a cancellation ends no such failover" in terminal.printed
