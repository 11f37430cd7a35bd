"""A failover that a person orders: the plan first, then the order, then the incident to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from function_runtime.control import Order, OrderKind
from function_runtime.incident import IN_AN_EMERGENCY, WHEN_PLANNED
from operations.errors import NoReportError, RefusedError
from operations.orders import give_order, new_order, withdraw_order
from tests.operations.terminal import ALICE, BOB, DEPLOYMENT, MANUAL, Terminal, healthy_world, silence, world_in_trouble

INCIDENT = "000001-20260101T120000Z"
APPROVE = f"failover --approve {INCIDENT} --epoch 1"


def asked() -> Terminal:
    """The writer is dead, and the controller has asked for approval."""
    terminal = Terminal(world_in_trouble(), MANUAL)
    assert terminal.tick()["code"] == "manual"
    return terminal


def test_a_planned_failover_is_followed_to_its_end() -> None:
    terminal = Terminal(healthy_world())
    terminal.person.types = ["000001-ordered"]
    assert terminal.give("failover --planned") == 0
    assert terminal.world.controller["writer_site"] == "recovery"
    for phase in WHEN_PLANNED:
        assert f"{phase:<12}" in "\n".join(terminal.person.lines)
    assert terminal.printed.endswith("Data loss: none")


def test_an_approved_failover_is_followed_to_its_end() -> None:
    terminal = asked()
    assert terminal.give(f"{APPROVE} --yes") == 0
    (incident,) = terminal.world.incidents
    assert (incident["kind"], incident["ordered_by"], incident["incident_id"]) == ("approved", ALICE, INCIDENT)
    assert "Recovery time (RTO)" in terminal.printed


def test_a_forced_failover_happens_against_the_signals_with_the_loss_accepted() -> None:
    terminal = Terminal(healthy_world())
    assert terminal.give("failover --forced --accept-loss-seconds 5 --yes") == 0
    assert terminal.world.incidents[0]["kind"] == "forced"


@pytest.mark.parametrize(
    ("command", "phases"),
    [
        ("failover --planned", WHEN_PLANNED),
        ("failover --forced --accept-loss-seconds 5", IN_AN_EMERGENCY),
    ],
)
def test_a_dry_run_shows_every_step_and_does_nothing(command: str, phases: tuple[str, ...]) -> None:
    terminal = Terminal(healthy_world())
    assert terminal.give(f"{command} --dry-run") == 0
    steps = [line.split(". ")[1].split(":")[0] for line in terminal.person.lines if line.strip()[:1].isdigit()]
    assert steps == list(phases)
    assert terminal.printed.endswith("Dry run: nothing was done. It would happen.")
    assert terminal.world.items == {}


def test_a_forced_dry_run_without_an_acceptance_says_what_would_have_to_be_accepted() -> None:
    terminal = Terminal(healthy_world())
    terminal.world.lag_seconds = 8
    assert terminal.give("failover --forced --dry-run") == 3
    assert "it accepts no loss at all" in terminal.printed
    assert "It would NOT happen: the loss may be 8 s, which was not accepted" in terminal.printed


def test_a_dry_run_says_why_it_would_not_happen() -> None:
    terminal = Terminal(world_in_trouble())
    assert terminal.give("failover --planned --dry-run") == 3
    assert "It would NOT happen: a planned failover needs a healthy pair" in terminal.printed


def test_a_dry_run_shows_the_decision_without_the_order_beside_that_with_it() -> None:
    terminal = asked()
    terminal.give(f"{APPROVE} --dry-run")
    assert "decided now ask: fail over as soon as a person approves (manual)" in terminal.printed
    assert "decided with it fail over (approved)" in terminal.printed
    assert "it accepts no loss beyond the configured bound, 10 s of writes" in terminal.printed


@pytest.mark.parametrize("wrong", ["--approve 000001-other --epoch 1", f"--approve {INCIDENT} --epoch 2"])
def test_an_approval_of_something_else_is_refused(wrong: str) -> None:
    terminal = asked()
    assert terminal.give(f"failover {wrong} --dry-run") == 3
    with pytest.raises(RefusedError, match="is not what the controller is about now"):
        terminal.give(f"failover {wrong} --yes")
    assert terminal.control == {}


def test_what_would_not_happen_is_not_ordered() -> None:
    terminal = Terminal(world_in_trouble())
    terminal.give("pause --reason wait")
    with pytest.raises(RefusedError, match=r"nothing was done.*failovers are paused: resume first \(paused\)"):
        terminal.give("failover --forced --accept-unknown-loss --yes")
    assert "order" not in terminal.control


def test_more_loss_than_accepted_is_not_ordered() -> None:
    terminal = Terminal(healthy_world())
    terminal.world.lag_seconds = 8
    with pytest.raises(RefusedError, match="the loss may be 8 s, which was not accepted"):
        terminal.give("failover --forced --accept-loss-seconds 5 --yes")


@pytest.mark.parametrize("typed", ["", "yes", "000002-ordered"])
def test_whoever_does_not_type_the_incident_has_ordered_nothing(typed: str) -> None:
    terminal = Terminal(healthy_world())
    terminal.person.types = [typed]
    with pytest.raises(RefusedError, match="nothing was done; type 000001-ordered to do it"):
        terminal.give("failover --planned")
    assert terminal.control == {}


def test_whoever_is_asked_is_told_which_stack_and_account_the_order_is_for() -> None:
    terminal = Terminal(healthy_world())
    terminal.person.types = ["000001-ordered"]
    terminal.give("failover --planned")
    assert terminal.person.asked == ["Type 000001-ordered to give this order to stack test in account 111122223333: "]


def test_an_order_names_who_gave_it_and_expires_after_fifteen_minutes() -> None:
    terminal = asked()
    terminal.give(f"{APPROVE} --yes --no-wait")
    order = Order.from_item(terminal.control["order"])
    assert (order.by, order.incident_id, order.epoch) == (ALICE, INCIDENT, 1)
    assert order.expires_at - order.at == timedelta(minutes=15)


def test_a_failover_under_way_takes_no_further_order() -> None:
    terminal = Terminal(healthy_world())
    terminal.give("failover --planned --yes --no-wait")
    terminal.world.fault = lambda call, effect: (
        (_ for _ in ()).throw(KeyboardInterrupt) if (call.operation == "rds.promote_read_replica") else effect()
    )
    with pytest.raises(KeyboardInterrupt):
        terminal.tick()
    terminal.world.fault = lambda call, effect: effect()
    with pytest.raises(RefusedError, match="incident 000001-ordered is under way"):
        terminal.give("failover --forced --accept-unknown-loss --yes", by=BOB)


def test_a_planned_failover_that_is_taken_back_is_told_as_that() -> None:
    terminal = Terminal(healthy_world())
    terminal.world.fence_refused = True
    assert terminal.give("failover --planned --yes") == 1
    assert "taken back: primary stays the writer, and nothing is lost" in terminal.printed


def test_an_order_that_the_controller_does_not_take_is_withdrawn() -> None:
    terminal = Terminal(healthy_world())
    terminal.person.ticks = False
    terminal.person.interferes = lambda: setattr(terminal.world, "standby_status", "storage-full")
    with pytest.raises(RefusedError, match=r"it does not begin .*your order is withdrawn"):
        terminal.give("failover --planned --yes")
    assert "order" not in terminal.control


def test_an_order_that_somebody_withdrew_is_not_waited_for() -> None:
    terminal = Terminal(healthy_world())
    terminal.person.ticks = False
    terminal.person.interferes = lambda: setattr(
        terminal, "_", withdraw_order(terminal.dynamodb, DEPLOYMENT.state_table_name)
    )
    with pytest.raises(RefusedError, match="somebody has withdrawn or replaced yours"):
        terminal.give("failover --planned --yes")


def test_an_order_is_waited_for_until_it_expires_and_no_longer() -> None:
    terminal = Terminal(healthy_world())
    terminal.person.ticks = False
    with pytest.raises(RefusedError, match="it has expired"):
        terminal.give("failover --planned --yes")
    assert "order" not in terminal.control


def test_an_incident_that_begins_by_itself_makes_an_order_void() -> None:
    terminal = Terminal(healthy_world())
    terminal.person.ticks = False

    def dies() -> None:
        terminal.world.primary_dies = True
        terminal.world.sleep(10)

    terminal.person.interferes = dies
    with pytest.raises(RefusedError, match="an order must name incident 000001-2026"):
        terminal.give("failover --planned --yes")
    assert "order" not in terminal.control


def test_a_controller_that_stops_telling_is_asked_again() -> None:
    terminal = Terminal(healthy_world())
    looks = iter([None, None, silence(), silence()])

    def flicker() -> None:
        terminal.function.failure = next(looks, None)

    terminal.person.interferes = flicker
    assert terminal.give("failover --planned --yes") == 0


def test_a_controller_that_tells_nothing_any_more_is_given_up() -> None:
    terminal = Terminal(healthy_world())
    terminal.person.ticks = False
    terminal.person.interferes = lambda: setattr(terminal.function, "failure", silence())
    with pytest.raises(NoReportError):
        terminal.give("failover --planned --yes")


def test_whoever_leaves_is_told_what_stays() -> None:
    terminal = Terminal(healthy_world())

    def leaves() -> None:
        raise KeyboardInterrupt

    terminal.person.interferes = leaves
    assert terminal.give("failover --planned --yes") == 130
    assert "What has begun goes on; the order is good until 2026-01-01 12:15:06 UTC" in terminal.printed
    assert "order" in terminal.control


def test_an_order_can_be_withdrawn_before_it_is_carried_out() -> None:
    terminal = Terminal(healthy_world())
    terminal.give("failover --planned --yes --no-wait")
    assert terminal.give("failover --cancel", by=BOB) == 0
    assert f"given by {ALICE}" in terminal.printed
    assert terminal.tick()["code"] == "healthy"
    assert terminal.give("failover --cancel") == 0
    assert terminal.printed == "No order is on record. Nothing was changed."


def test_withdrawing_keeps_a_pause() -> None:
    terminal = Terminal(healthy_world())
    terminal.give("failover --planned --yes --no-wait")
    terminal.give("pause --reason wait")
    terminal.give("failover --cancel")
    assert terminal.control["pause"]["reason"] == "wait"


def test_another_persons_good_order_is_not_replaced() -> None:
    terminal = Terminal(healthy_world())
    now = terminal.world.now

    def order(by: str, minutes: int) -> Order:
        return new_order(OrderKind.PLANNED, "000001-ordered", 1, by, now + timedelta(minutes=minutes))

    give_order(terminal.dynamodb, "state", order(ALICE, 0))
    with pytest.raises(RefusedError, match=f"planned by {ALICE}"):
        give_order(terminal.dynamodb, "state", order(BOB, 14))
    assert give_order(terminal.dynamodb, "state", order(ALICE, 14)).order == order(ALICE, 14)
    assert give_order(terminal.dynamodb, "state", order(BOB, 30)).order == order(BOB, 30)


def test_an_accepted_loss_is_kept_exactly() -> None:
    terminal = Terminal(healthy_world())
    order = new_order(OrderKind.FORCED, "000001-ordered", 1, ALICE, terminal.world.now, 0.1)
    give_order(terminal.dynamodb, "state", order)
    assert withdraw_order(terminal.dynamodb, "state", order) == order
