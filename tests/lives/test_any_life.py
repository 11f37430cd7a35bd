"""Over any sequence of failovers, reprotections, crashes and deploys the writer is safe, and it ends protected.

The functions of both sites, the operators' commands and the judgement of a deploy are the real ones, and work on one
AWS in memory; Pulumi is a model (`pulumi_in_memory`). What must hold is told in `always`. A life is drawn by its
number.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from aws_in_memory.handovers import writer_of
from function_runtime.control import OrderKind
from function_runtime.sites import Site
from shared.environment import Kind
from tests.lives.life import Life

MOST_MOVES = 16
IN_A_UNIT_RUN = (0, 1)
DRAWN = 13
EDITS: Sequence[tuple[str, Sequence[str | None]]] = (
    ("activeSite", ["primary", "recovery"]),
    ("retiring", ["primary", "recovery", None]),
    ("primaryBirth", ["none", "replica", "original"]),
    ("recoveryBirth", ["none", "replica", "original"]),
    ("primaryGeneration", ["1", "2", "3"]),
    ("recoveryGeneration", ["1", "2", "3"]),
)
OPERATIONS = ("create_db_snapshot", "delete_db_instance", "create_db_instance_read_replica", "modify_db_instance")


@dataclass
class Drawn:
    """A life that chance leads.

    Attributes:
        chance: where it comes from.
        life: the life.
        moves: what has happened, for who looks for the reason of a failure.
    """

    chance: random.Random
    life: Life
    moves: list[str] = field(default_factory=list)

    def go_on(self) -> None:
        """One more move."""
        (move,) = self.chance.choices(list(MOVES), list(MOVES.values()))
        self.moves.append(f"{move.__name__[1:]} -> ")
        self.moves[-1] += str(move(self))

    def site(self) -> Site:
        return self.chance.choice(list(Site))

    # Time and disasters

    def _time_passes(self) -> None:
        self.life.tick(self.chance.choice([1, 3, 8]), self.chance.choice([1, 3, 7, 25]))

    def _writer_dies_or_comes_back(self) -> Site:
        self.life.writer_dies_or_comes_back()
        self.life.tick(self.chance.choice([0, 2, 10]))
        return writer_of(self.life.aws)

    def _region_goes_dark_or_returns(self) -> Site:
        self.life.region_goes_dark_or_returns(self.site())
        self.life.tick(self.chance.choice([0, 2, 10]))
        return writer_of(self.life.aws)

    def _region_goes_dark_in_the_next_handover(self) -> str:
        site, writes = self.site(), self.chance.randint(0, 12)
        self.life.region_goes_dark_in_the_next_handover(site, writes)
        return f"{site} after {writes} writes"

    def _dark_regions_return(self) -> None:
        self.life.all_is_well_again()
        self.life.tick(self.chance.choice([0, 2, 10]))

    def _probes_are_cut_off_or_not(self) -> None:
        self.life.probes_are_cut_off_or_not(self.site())
        self.life.tick(self.chance.choice([0, 4]))

    def _services_fall_silent_or_answer(self) -> Site:
        self.life.services_fall_silent_or_answer(self.site())
        self.life.tick(self.chance.choice([0, 2, 10]))
        return writer_of(self.life.aws)

    def _services_fall_silent_in_the_next_fence(self) -> None:
        self.life.services_fall_silent_in_the_next_fence()

    def _alarms_stand_still_or_go_on(self) -> None:
        self.life.alarms_stand_still_or_go_on(self.site())

    def _standby_fails_or_is_mended(self) -> None:
        self.life.standby_fails_or_is_mended()

    def _standby_loses_its_slot(self) -> None:
        self.life.standby_loses_its_slot()

    def _another_database_comes_by_hand(self) -> None:
        self.life.another_database_comes_by_hand()

    # People

    def _failover_is_ordered(self) -> str:
        kind = self.chance.choice([OrderKind.PLANNED, OrderKind.PLANNED, OrderKind.FORCED])
        self.life.failover_is_ordered(kind)
        self.life.tick(self.chance.choice([0, 3, 10]))
        return f"{kind} -> {writer_of(self.life.aws)}"

    def _failover_is_abandoned(self) -> None:
        self.life.failover_is_abandoned()

    def _handover_is_taken_back(self) -> None:
        self.life.handover_is_taken_back()

    def _writer_is_named(self) -> Site:
        self.life.writer_is_named()
        self.life.tick(self.chance.choice([2, 10]))
        return writer_of(self.life.aws)

    def _failovers_are_paused_or_resumed(self) -> Site:
        site = self.site()
        self.life.failovers_are_paused_or_resumed(site)
        return site

    def _they_reprotect(self) -> str:
        return self.life.reprotects()

    def _they_reprotect_and_something_happens(self) -> str:
        event = self.chance.choice(EVENTS)
        calls: list[int | str] = [int(2 ** self.chance.uniform(0, 9)), *OPERATIONS]
        at = self.chance.choice(calls)
        with self.life.struck(at, None if event is None else partial(event, self)):
            told = self.life.reprotects()
        return f"{at}, {'killed' if event is None else event.__name__}: {told}"

    def _they_undo(self) -> str:
        return self.life.undoes()

    def _they_deploy(self) -> str:
        return self.life.deploys(*self.chance.choice([(), ("data",), ("dr-automation",)]))

    def _they_deploy_and_something_happens(self) -> str:
        event = self.chance.choice(EVENTS)
        with self.life.struck(self.chance.randint(1, 40), None if event is None else partial(event, self)):
            return self.life.deploys("data")

    def _somebody_else_deploys(self) -> None:
        self.life.somebody_else_deploys()

    def _they_run_pulumi_up(self) -> str:
        return self.life.ups()

    def _they_refresh(self) -> str:
        return self.life.refreshes()

    def _they_destroy(self) -> str:
        return self.life.destroys()

    def _somebody_edits_the_automation(self) -> str:
        self.life.automation_is_edited(self.chance.choice([None, *Site]))
        return self.life.deploys("dr-automation")

    def _data_keys_are_made_anew(self) -> None:
        self.life.data_keys_are_made_anew()

    def _somebody_edits_the_configuration(self) -> str:
        key, values = self.chance.choice(EDITS)
        value = self.chance.choice(values)
        self.life.edits(key, value)
        return f"{key}: {value}"

    def _somebody_works_in_a_checkout_of_before(self) -> None:
        self.life.goes_back(self.chance.randint(0, 9))

    def _the_configuration_is_put_right(self) -> None:
        self.life.put_right()


MOVES: dict[Callable[[Drawn], Any], int] = {
    Drawn._time_passes: 3,
    Drawn._writer_dies_or_comes_back: 4,
    Drawn._region_goes_dark_or_returns: 2,
    Drawn._region_goes_dark_in_the_next_handover: 2,
    Drawn._dark_regions_return: 3,
    Drawn._probes_are_cut_off_or_not: 1,
    Drawn._services_fall_silent_or_answer: 1,
    Drawn._services_fall_silent_in_the_next_fence: 1,
    Drawn._alarms_stand_still_or_go_on: 2,
    Drawn._standby_fails_or_is_mended: 2,
    Drawn._standby_loses_its_slot: 1,
    Drawn._another_database_comes_by_hand: 1,
    Drawn._failover_is_ordered: 5,
    Drawn._failover_is_abandoned: 1,
    Drawn._handover_is_taken_back: 1,
    Drawn._writer_is_named: 2,
    Drawn._failovers_are_paused_or_resumed: 1,
    Drawn._they_reprotect: 4,
    Drawn._they_reprotect_and_something_happens: 6,
    Drawn._they_undo: 2,
    Drawn._they_deploy: 1,
    Drawn._they_deploy_and_something_happens: 1,
    Drawn._somebody_else_deploys: 1,
    Drawn._they_run_pulumi_up: 2,
    Drawn._they_refresh: 1,
    Drawn._they_destroy: 1,
    Drawn._somebody_edits_the_automation: 1,
    Drawn._data_keys_are_made_anew: 1,
    Drawn._somebody_edits_the_configuration: 2,
    Drawn._somebody_works_in_a_checkout_of_before: 1,
    Drawn._the_configuration_is_put_right: 3,
}
EVENTS: Sequence[Callable[[Drawn], Any] | None] = (
    None,
    None,
    None,
    Drawn._writer_dies_or_comes_back,
    Drawn._region_goes_dark_or_returns,
    Drawn._failover_is_ordered,
    Drawn._standby_fails_or_is_mended,
    Drawn._services_fall_silent_or_answer,
    Drawn._somebody_else_deploys,
    Drawn._another_database_comes_by_hand,
)


def lived(number: int) -> Drawn:
    """The life of that number, to its end."""
    random.seed(0)
    chance = random.Random(number)  # noqa: S311 - no secret
    kind = chance.choice([Kind.PRODUCTION, Kind.DEVELOPMENT])
    drawn = Drawn(chance, Life(chance.choice(list(Site)), chance.choice([0, 8, 98]), kind, chance))
    try:
        for _ in range(MOST_MOVES):
            drawn.go_on()
        drawn.moves.append("settle")
        drawn.life.settle()
    except BaseException as error:
        error.add_note(f"life {number}:\n" + "\n".join(drawn.moves))
        raise
    return drawn


@pytest.mark.parametrize("number", IN_A_UNIT_RUN)
def test_a_life_is_safe_and_ends_protected(number: int) -> None:
    lived(number)


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(len(IN_A_UNIT_RUN), len(IN_A_UNIT_RUN) + DRAWN))
def test_any_life_is_safe_and_ends_protected(number: int) -> None:
    lived(number)
