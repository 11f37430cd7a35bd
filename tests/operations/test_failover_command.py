"""A failover that a person orders: the plan first, then the order, then the incident until it is closed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aws_in_memory.deployed import REGIONS, healthy, writer_dead
from aws_in_memory.faults import unread_metrics
from aws_in_memory.instance import Outage
from aws_in_memory.running import killed_once
from function_runtime.control import Order, OrderKind
from function_runtime.incident import IN_AN_EMERGENCY, WHEN_PLANNED
from function_runtime.sites import Site
from operations.errors import NoReportError, RefusedError
from operations.orders import give_order, new_order, withdraw_order
from tests.operations.terminal import ALICE, BOB, HOME, MANUAL, Terminal, silence

INCIDENT = "000001-20260101T120000Z"
APPROVE = f"failover --approve {INCIDENT} --epoch 1"
PLANNED = "failover --planned --yes"


def approval_asked() -> Terminal:
    """The writer is dead, and the controller has asked for approval."""
    terminal = Terminal(writer_dead(), MANUAL)
    assert terminal.tick()["code"] == "manual"
    return terminal


def planned_failover_ordered() -> Terminal:
    terminal = Terminal(healthy())
    assert terminal.give(f"{PLANNED} --no-wait") == 0
    return terminal


def test_a_planned_failover_asks_which_deployment_is_meant_and_is_followed_until_it_is_closed() -> None:
    terminal = Terminal(healthy())
    terminal.person.types = ["000001-ordered"]
    assert terminal.give("failover --planned") == 0
    assert terminal.person.asked == ["Type 000001-ordered to give this order to stack test in account 111122223333: "]
    assert terminal.aws.controller["writer_site"] == "recovery"
    for phase in WHEN_PLANNED:
        assert f"{phase:<12}" in "\n".join(terminal.person.lines)
    assert terminal.printed.endswith("Data loss: none")


def test_an_approved_failover_is_followed_until_it_is_closed() -> None:
    terminal = approval_asked()
    assert terminal.give(f"{APPROVE} --yes") == 0
    (incident,) = terminal.aws.incidents
    assert (incident["kind"], incident["ordered_by"], incident["incident_id"]) == ("approved", ALICE, INCIDENT)


def test_an_approval_lets_an_incident_go_on_whose_writer_only_answers_after_its_fence() -> None:
    aws = writer_dead()
    aws.writer.refuses_changes = True
    killed_once(aws, lambda call: bool(aws.incidents) and aws.incidents[0]["phase"] == "fenced")
    aws.writer.comes_back(aws.now)
    aws.writer.hung.append(Outage(aws.now))
    # Its own site's probes would take the incident back, if anybody could read what they have published.
    aws.fault = unread_metrics(REGIONS[Site.PRIMARY])
    terminal = Terminal(aws)
    assert terminal.tick()["code"] == "answers_after_all"
    assert terminal.give("status") == 0
    assert "it waits for an approval: the old writer answers after its fence" in terminal.printed
    (incident,) = aws.incidents
    named = f"failover --approve {incident['incident_id']} --epoch 1"
    assert f"nox -s {named.replace('failover ', 'failover -- ')}" in terminal.printed
    assert terminal.give(f"{named} --dry-run") == 0
    assert terminal.give(f"{named} --yes") == 0
    assert aws.controller["writer_site"] == "recovery"
    assert "proposal" not in aws.controller


def test_a_forced_failover_happens_against_the_signals_with_the_loss_accepted() -> None:
    terminal = Terminal(healthy())
    assert terminal.give("failover --forced --accept-loss-seconds 5 --yes") == 0
    assert terminal.aws.incidents[0]["kind"] == "forced"


@pytest.mark.parametrize(
    ("command", "phases"),
    [
        ("failover --planned", WHEN_PLANNED),
        ("failover --forced --accept-loss-seconds 5", IN_AN_EMERGENCY),
    ],
)
def test_a_dry_run_shows_every_step_and_does_nothing(command: str, phases: tuple[str, ...]) -> None:
    terminal = Terminal(healthy())
    assert terminal.give(f"{command} --dry-run") == 0
    steps = [line.split(". ")[1].split(":")[0] for line in terminal.person.lines if line.strip()[:1].isdigit()]
    assert steps == list(phases)
    assert terminal.printed.endswith("Dry run: nothing was done. It would happen.")
    assert list(terminal.aws.items) == ["birth"]


def test_a_forced_dry_run_without_an_accepted_loss_says_how_much_may_be_lost() -> None:
    terminal = Terminal(healthy(lag_seconds=8))
    assert terminal.give("failover --forced --dry-run") == 3
    assert "accepts no loss at all" in terminal.printed
    assert "It would NOT happen: the loss may be 8 s, which was not accepted" in terminal.printed


def test_a_dry_run_shows_the_decision_with_and_without_the_order() -> None:
    terminal = approval_asked()
    assert terminal.give(f"{APPROVE} --dry-run") == 0
    assert "decision now ask: fail over as soon as a person approves (manual)" in terminal.printed
    assert "decision with it fail over (approved)" in terminal.printed
    assert "accepts no loss beyond the configured bound, 10 s of writes" in terminal.printed


@pytest.mark.parametrize("wrong", ["--approve 000001-other --epoch 1", f"--approve {INCIDENT} --epoch 2"])
def test_an_approval_of_something_else_is_refused(wrong: str) -> None:
    terminal = approval_asked()
    assert terminal.give(f"failover {wrong} --dry-run") == 3
    with pytest.raises(RefusedError, match="is not what the controller asks about now"):
        terminal.give(f"failover {wrong} --yes")
    assert terminal.control == {}


def test_what_would_not_happen_is_not_ordered() -> None:
    terminal = Terminal(writer_dead())
    terminal.give("pause --reason wait")
    with pytest.raises(RefusedError, match=r"nothing was done.*failovers are paused: resume first \(paused\)"):
        terminal.give("failover --forced --accept-unknown-loss --yes")
    assert "order" not in terminal.control


def test_a_greater_loss_than_accepted_is_not_ordered() -> None:
    terminal = Terminal(healthy(lag_seconds=8))
    with pytest.raises(RefusedError, match="the loss may be 8 s, which was not accepted"):
        terminal.give("failover --forced --accept-loss-seconds 5 --yes")
    assert terminal.control == {}


@pytest.mark.parametrize("typed", ["", "yes", "000002-ordered"])
def test_without_the_incident_typed_nothing_is_ordered(typed: str) -> None:
    terminal = Terminal(healthy())
    terminal.person.types = [typed]
    with pytest.raises(RefusedError, match="nothing was done; type 000001-ordered to do it"):
        terminal.give("failover --planned")
    assert terminal.control == {}


def test_an_order_names_who_gave_it_and_expires_after_fifteen_minutes() -> None:
    terminal = approval_asked()
    terminal.give(f"{APPROVE} --yes --no-wait")
    order = Order.from_item(terminal.control["order"])
    assert (order.by, order.incident_id, order.epoch) == (ALICE, INCIDENT, 1)
    assert order.expires_at - order.at == timedelta(minutes=15)


def test_while_a_failover_is_under_way_no_order_is_taken() -> None:
    terminal = planned_failover_ordered()
    terminal.tick_killed_at("rds.promote_read_replica")
    with pytest.raises(RefusedError, match="incident 000001-ordered is under way"):
        terminal.give("failover --forced --accept-unknown-loss --yes", by=BOB)


def test_a_planned_failover_that_is_taken_back_ends_with_1() -> None:
    terminal = Terminal(healthy())
    terminal.aws.writer.refuses_changes = True
    assert terminal.give(PLANNED) == 1
    assert "taken back: primary stays the writer, and nothing is lost" in terminal.printed


def test_an_order_that_the_controller_does_not_carry_out_is_withdrawn() -> None:
    terminal = Terminal(healthy())
    terminal.person.ticks = False
    terminal.person.interferes = lambda: setattr(terminal.aws.standby, "status", "storage-full")
    with pytest.raises(RefusedError, match=r"it does not begin .*your order is withdrawn"):
        terminal.give(PLANNED)
    assert "order" not in terminal.control


def test_an_order_that_somebody_withdrew_is_not_waited_for() -> None:
    terminal = Terminal(healthy())
    terminal.person.ticks = False
    terminal.person.interferes = lambda: setattr(
        terminal, "_", withdraw_order(terminal.dynamodb[Site.RECOVERY], HOME.state_table_name)
    )
    with pytest.raises(RefusedError, match="somebody has withdrawn or replaced yours"):
        terminal.give(PLANNED)


def test_an_order_is_waited_for_until_it_expires() -> None:
    terminal = Terminal(healthy())
    terminal.person.ticks = False
    with pytest.raises(RefusedError, match="it has expired"):
        terminal.give(PLANNED)
    assert "order" not in terminal.control


def test_trouble_that_begins_meanwhile_makes_an_order_void() -> None:
    terminal = Terminal(healthy())
    terminal.person.ticks = False

    def dies() -> None:
        terminal.aws.writer.dies(terminal.aws.now)
        terminal.aws.sleep(10)

    terminal.person.interferes = dies
    with pytest.raises(RefusedError, match="an order must name incident 000001-2026"):
        terminal.give(PLANNED)
    assert "order" not in terminal.control


def test_a_missing_report_is_asked_for_again() -> None:
    terminal = Terminal(healthy())
    failures = iter([None, None, silence(), silence()])
    terminal.person.interferes = lambda: setattr(terminal.function, "failure", next(failures, None))
    assert terminal.give(PLANNED) == 0


def test_without_any_more_reports_following_ends() -> None:
    terminal = Terminal(healthy())
    terminal.person.ticks = False
    terminal.person.interferes = lambda: setattr(terminal.function, "failure", silence())
    with pytest.raises(NoReportError):
        terminal.give(PLANNED)


def test_an_interrupt_leaves_the_order_on_record_and_says_so() -> None:
    terminal = Terminal(healthy())

    def interrupt() -> None:
        raise KeyboardInterrupt

    terminal.person.interferes = interrupt
    assert terminal.give(PLANNED) == 130
    assert "What has begun goes on; the order is good until 2026-01-01 12:15:06 UTC" in terminal.printed
    assert "order" in terminal.control


def test_an_order_can_be_withdrawn_before_it_is_carried_out() -> None:
    terminal = planned_failover_ordered()
    assert terminal.give("failover --cancel", by=BOB) == 0
    assert f"given by {ALICE}" in terminal.printed
    assert terminal.tick()["code"] == "healthy"
    assert terminal.give("failover --cancel") == 0
    assert terminal.printed == "No order is on record. Nothing was changed."


def test_withdrawing_an_order_keeps_a_pause() -> None:
    terminal = planned_failover_ordered()
    terminal.give("pause --reason wait")
    terminal.give("failover --cancel")
    assert terminal.control["pause"]["reason"] == "wait"


def test_another_persons_good_order_is_not_replaced() -> None:
    terminal = Terminal(healthy())
    now = terminal.aws.now

    def order(by: str, minutes: int) -> Order:
        return new_order(OrderKind.PLANNED, "000001-ordered", 1, by, now + timedelta(minutes=minutes))

    give_order(terminal.dynamodb[Site.RECOVERY], "state", order(ALICE, 0))
    with pytest.raises(RefusedError, match=f"planned by {ALICE}"):
        give_order(terminal.dynamodb[Site.RECOVERY], "state", order(BOB, 14))
    assert give_order(terminal.dynamodb[Site.RECOVERY], "state", order(ALICE, 14)).order == order(ALICE, 14)
    assert give_order(terminal.dynamodb[Site.RECOVERY], "state", order(BOB, 30)).order == order(BOB, 30)


def test_an_accepted_loss_is_stored_exactly() -> None:
    terminal = Terminal(healthy())
    order = new_order(OrderKind.FORCED, "000001-ordered", 1, ALICE, terminal.aws.now, 0.1)
    give_order(terminal.dynamodb[Site.RECOVERY], "state", order)
    assert withdraw_order(terminal.dynamodb[Site.RECOVERY], "state", order) == order
