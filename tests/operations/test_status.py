"""The status shows what the controller sees now, or says that it cannot."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from aws_in_memory.aws import Call
from aws_in_memory.clock import START, Clock
from aws_in_memory.deployed import REGIONS, healthy, unprepared, writer_dead
from aws_in_memory.faults import before
from failover.report import report
from failover.signals import SIGNAL_NAMES
from function_runtime.items import serialized
from function_runtime.sites import Site
from function_runtime.state import Controller
from operations import protection_text, status_text
from operations.errors import RefusedError
from operations.report import Report
from tests.operations.terminal import ALICE, BIRTH, DEPLOYMENT, HOME, MANUAL, Terminal, denied, silence


def test_the_status_of_a_writer_in_trouble() -> None:
    terminal = Terminal(writer_dead(), MANUAL)
    assert terminal.give("status") == 0
    for line in (
        "writer           primary (epoch 0), as writer.db.internal",
        "mode             manual",
        "trouble          failing since 2026-01-01 12:00:00 UTC (6 s ago)",
        "order on record  none",
        "decision         ask: fail over as soon as a person approves (manual)",
        "last incident: none",
    ):
        assert line in terminal.person.lines
    assert "--approve 000001-20260101T120000Z --epoch 1 --dry-run" in terminal.printed


def test_it_begins_with_whether_the_system_is_protected_and_who_has_authority() -> None:
    terminal = Terminal(healthy())
    terminal.give("status")
    assert terminal.person.lines[1].startswith("PROTECTED: ")
    assert terminal.person.lines[1].endswith("; the writer is primary")
    assert terminal.person.lines[2] == "authority  the recovery site's controller"


def test_without_a_standby_it_begins_with_what_a_failure_would_mean_and_what_to_run() -> None:
    terminal = Terminal(healthy())
    protection = {"protected": False, "code": "no_standby", "reason": "no standby"}
    terminal.function.answer = lambda content: {**content, "protection": protection}
    terminal.give("status")
    assert terminal.printed.startswith("NOT PROTECTED: no standby: the next failure means restoring from a backup")
    assert "a new standby takes about 70 minutes" in terminal.printed
    assert "run now nox -s reprotect -- --dry-run shows how a new standby is made" in terminal.printed


def test_a_dead_writer_and_a_pause_are_said_first() -> None:
    terminal = Terminal(writer_dead(), MANUAL)
    terminal.give("status")
    assert terminal.printed.startswith("WRITER IN TROUBLE: the writer has been failing since 12:00 UTC")
    assert "run now see the decision below" in terminal.printed
    terminal.give("pause --reason rebuild")
    terminal.give("status")
    assert terminal.printed.startswith("PAUSED: the writer has been failing since 12:00 UTC, and")
    assert "run now nox -s resume" in terminal.printed


def test_a_handover_under_way_is_told_at_the_beginning() -> None:
    terminal = Terminal(healthy())
    handover = {"from": "recovery", "to": "primary", "told_at": "2026-01-01T12:00:00+00:00"}
    terminal.function.answer = lambda content: {**content, "handover": handover}
    terminal.give("status")
    assert "handover from recovery to primary is under way, and nobody acts meanwhile; done so far: told" in (
        terminal.printed
    )


@pytest.mark.parametrize(
    ("hours", "said"),
    [(None, "how old the newest is is unknown"), (3, "a backup of 09:00 UTC (3 h ago)"), (50, "of 2025-12-30 10:00")],
)
def test_the_newest_backup_is_named_as_people_say_it(hours: int | None, said: str) -> None:
    terminal = Terminal(healthy())
    protection = {"protected": False, "code": "standby_broken", "reason": "the standby is broken"}
    seen = report(terminal.aws, terminal.settings, Clock(terminal.aws), {"order": None})
    backup = None if hours is None else START - timedelta(hours=hours)
    lines = protection_text.beginning(Report.of({**seen, "protection": protection}), backup, START)
    assert said in " ".join(" ".join(lines).split())


def test_every_signal_is_shown_and_explained_and_an_unknown_one_is_shown_as_unknown() -> None:
    terminal = Terminal(healthy(dark=[Site.PRIMARY]))
    terminal.give("status")
    for name in SIGNAL_NAMES:
        shown = name.replace("_", " ")
        (line,) = (line for line in terminal.person.lines if line.startswith(f"  {shown} "))
        assert line.endswith(f"  {status_text.QUESTIONS[name]}")
        if name in ("rds_healthy", "answers_there"):
            assert line.split()[2] == "unknown"


def test_an_unknown_loss_is_not_shown_as_none() -> None:
    terminal = Terminal(unprepared(writer_dead(lag_seconds=-1)))
    terminal.give("status")
    assert "a failover would lose: unknown" in terminal.printed


def test_an_incident_under_way_is_shown_step_by_step() -> None:
    terminal = Terminal(healthy())
    terminal.give("failover --planned --yes --no-wait")
    terminal.tick_killed_at("rds.promote_read_replica")
    terminal.give("status")
    assert "continue the incident under way" in terminal.printed
    assert f"000001-ordered, planned, ordered by {ALICE}, to recovery" in terminal.printed
    assert "fenced fenced (" in terminal.printed
    assert "promoting under way" in terminal.printed


def test_the_last_incident_is_shown_with_its_cost_and_whether_the_old_writer_was_fenced() -> None:
    aws = writer_dead()
    aws.writer.refuses_changes = True
    terminal = Terminal(aws)
    terminal.tick()
    terminal.give("status")
    assert f"Recovery time (RTO): {float(aws.incidents[0]['rto_seconds']):.1f} s" in terminal.printed
    assert "Data loss: at most" in terminal.printed
    assert "The old writer is NOT known to be fenced" in terminal.printed


def test_json_is_the_functions_report_and_the_deployment_it_is_of() -> None:
    terminal = Terminal(healthy())
    assert terminal.give("status --json") == 0
    seen = report(terminal.aws, terminal.settings, Clock(terminal.aws), {"order": None})
    assert json.loads(terminal.printed) == {
        **json.loads(json.dumps(seen)),
        **DEPLOYMENT.identity(Site.RECOVERY),
        "notes": [],
    }


@pytest.mark.parametrize("failure", [silence(), denied("Invoke")], ids=["silent", "refused"])
def test_without_the_functions_answer_the_record_is_shown_as_a_record_only(failure: Exception) -> None:
    terminal = Terminal(writer_dead(), MANUAL)
    terminal.tick()
    terminal.aws.sleep(3 * 3600)
    terminal.function.failure = failure
    assert terminal.give("status") == 1
    assert terminal.printed.startswith("NOT KNOWN TO BE PROTECTED: failoverFunctionName = failover-recovery-test: ")
    assert "NO CURRENT STATUS: failoverFunctionName = failover-recovery-test: " in terminal.printed
    assert "ask (manual)" in terminal.printed
    assert "last trouble failing since 2026-01-01 12:00:00 UTC (3 h ago)" in terminal.printed
    assert "signals" not in terminal.person.lines


def test_json_of_the_record_says_that_it_is_a_record_only() -> None:
    terminal = Terminal(healthy())
    terminal.give("pause --reason rebuild")
    terminal.function.failure = silence()
    assert terminal.give("status --json") == 1
    told = json.loads(terminal.printed)
    assert told["not_seen"].startswith("failoverFunctionName")
    assert told["recorded"]["control"]["pause"]["reason"] == "rebuild"


@pytest.mark.parametrize("part", ["mode", "signals", "decision", "incident", "steps", "trouble"])
def test_an_answer_of_another_version_is_not_taken_for_a_report(part: str) -> None:
    terminal = Terminal(healthy())
    terminal.function.answer = lambda content: {name: value for name, value in content.items() if name != part}
    assert terminal.give("status") == 1
    assert "run the commands of the version that is deployed" in terminal.printed


def test_without_the_function_and_with_damaged_items_it_is_refused() -> None:
    terminal = Terminal(healthy())
    terminal.aws.put({"id": "controller", "version": 1, "epoch": 1, "writer_site": "primary", "incident_id": "gone"})
    with pytest.raises(RefusedError, match="its content is damaged"):
        terminal.give("status")


def test_while_the_region_with_authority_is_dark_the_other_table_is_shown_and_what_to_do() -> None:
    terminal = Terminal(healthy())
    terminal.function.failure = silence()
    terminal.aws.dark = {REGIONS[Site.RECOVERY]}
    assert terminal.give("status") == 1
    assert terminal.printed.startswith("NOT KNOWN TO BE PROTECTED: authority = (the primary site's table says that")
    assert "nox -s failover -- --adopt primary gives authority to primary" in terminal.printed
    assert "NO CURRENT STATUS" in terminal.printed


@pytest.mark.parametrize("epoch", [None, 3])
def test_two_records_that_each_name_the_other_site_are_said_first_with_the_command_that_mends_it(
    epoch: int | None,
) -> None:
    terminal = Terminal(healthy())
    for site in Site:
        terminal.aws.items_of(site)["birth"] = serialized({**BIRTH, "authority": site.other.value})
        if epoch is not None:
            terminal.aws.put(Controller(version=1, epoch=epoch, authority=site.other).as_item(), site)
    assert terminal.give("status") == 1
    first = terminal.printed.partition("NO CURRENT STATUS")[0]
    assert first.startswith("NOT KNOWN TO BE PROTECTED: authority = (each table says that authority is with the other")
    assert "nobody acts: nox -s failover -- --adopt primary begins a new epoch and settles it" in first
    terminal.give("failover --adopt primary --yes")
    assert terminal.give("status") == 0
    assert terminal.printed.startswith("PROTECTED")


def test_where_no_table_answers_it_is_refused() -> None:
    terminal = Terminal(healthy())
    terminal.aws.dark = set(REGIONS.values())
    with pytest.raises(RefusedError, match=r"authority = .neither table says who has it: .*check the network"):
        terminal.give("status")


def test_a_pause_and_an_order_that_cannot_be_read_are_shown_as_unknown() -> None:
    terminal = Terminal(healthy())
    terminal.aws.put({"id": "control", "version": 1, "pause": {"by": "somebody"}})
    assert terminal.give("status") == 1
    assert "mode unknown: item control of table state" in terminal.printed
    assert "order on record unknown" in terminal.printed


def test_an_order_that_was_carried_out_is_not_shown_as_good() -> None:
    terminal = Terminal(healthy())
    terminal.give("failover --planned --yes --no-wait")
    terminal.give("status")
    assert "epoch 1; good for 15 min more" in terminal.printed
    terminal.tick()
    terminal.give("status")
    assert "epoch 1; that epoch has begun: the order was used, or no longer counts" in terminal.printed


def test_a_writer_that_a_failover_has_left_shut_is_named_until_it_is_open() -> None:
    terminal = Terminal(healthy())
    terminal.tick()
    terminal.aws.put({**terminal.aws.controller, "owes_opening": "000001-ordered"})
    terminal.give("status")
    assert "the writer's database, shut by 000001-ordered: every run tries to" in terminal.printed


def test_a_record_that_nobody_can_check_is_in_doubt() -> None:
    terminal = Terminal(healthy())
    terminal.tick()

    def refuse(call: Call) -> None:
        if call.operation == "rds.describe_db_instances" and call.region == HOME.region:
            raise denied("DescribeDBInstances")

    terminal.aws.fault = before(refuse)
    terminal.give("status")
    assert "whether the record is right; nothing is published" in terminal.printed


def test_it_says_that_a_last_look_has_kept_a_failover_from_beginning() -> None:
    aws = writer_dead()

    def comes_back(call: Call) -> None:
        if call.operation == "lambda.invoke" and aws.writer.outages[-1].ends is None:
            aws.writer.comes_back(aws.now)

    aws.fault = before(comes_back)
    terminal = Terminal(aws)
    assert terminal.tick()["code"] == "commits_after_all"
    terminal.give("status")
    assert "it kept a failover from beginning" in terminal.printed
    assert "the recovery site's probe has committed in it" in terminal.printed
