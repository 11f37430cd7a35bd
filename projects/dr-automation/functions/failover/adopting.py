"""Heed a person's word which database is the writer, and tell the other site's table of it until it has heard."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from aws_lambda_powertools import Logger

from failover.adoption import adoption, is_given_up
from failover.instructions import adopted_by
from failover.overtaken import is_overruled
from failover.people import People
from failover.recorded import Recorded, StateLostError
from failover.settings import Settings
from failover.telling import telling_of_adoption
from function_runtime.clients import AwsError, Clients
from function_runtime.clock import Clock
from function_runtime.control import Control
from function_runtime.items import AnotherRunIsAtWorkError
from function_runtime.state import Controller, State

logger = Logger(child=True)

# A lost state is told of again and again: nothing else happens until a person acts.
TELL_AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Adopting:
    """What it works with.

    Attributes:
        clients: AWS.
        settings: the settings.
        clock: time.
        people: who is told.
        state: this site's table.
        other_state: the other site's.
    """

    clients: Clients
    settings: Settings
    clock: Clock
    people: People
    state: State
    other_state: State

    def settled(self, control: Control, lost: StateLostError) -> Recorded:
        """The state that a person has put in place of the lost one; without their word people are told, now and then.

        Raises:
            StateLostError: nobody has said who the writer is, or the database they named cannot be it.
        """
        now, why = self.clock.now(), str(lost)
        named = adopted_by(control, lost.controller, now)
        if named is not None:
            known = lost.controller.version > 0 and lost.controller.authority is self.settings.here
            adopted = adoption(
                self.clients, self.settings, lost.controller, lost.last_epoch, named, now, has_authority=known
            )
            if isinstance(adopted, Controller):
                return self._adopt(adopted)
            why = f"{why}; {adopted}"
        told_at = self.state.told_of_loss()
        # Who gives a word that cannot be heeded hears why at once.
        is_news = told_at is None or now - told_at >= TELL_AGAIN_AFTER or (named is not None and named.at > told_at)
        if is_news:
            self.people.tell_state_lost(why)
            with suppress(AnotherRunIsAtWorkError):
                self.state.save_told_of_loss(now)
        self.people.repeat()
        raise StateLostError(lost.controller, lost.last_epoch, why)

    def given_a_word(self, control: Control, known: Recorded) -> Recorded:
        """The state, with the writer that a person has named in place of one that is given up, shut or out of reach."""
        controller, now = known.controller, self.clock.now()
        named = adopted_by(control, controller, now)
        if named is None or not is_given_up(self.clients, self.settings, controller):
            return known
        has_authority = controller.authority is self.settings.here
        adopted = adoption(
            self.clients, self.settings, controller, controller.epoch, named, now, has_authority=has_authority
        )
        if isinstance(adopted, Controller):
            return self._adopt(adopted)
        # The word is used up: who gave it hears why, and gives another one.
        self.people.tell_not_adopted(named.by, adopted)
        refused = self.state.save_controller(replace(controller, heeded_at=named.at))
        return replace(known, controller=refused, found=False)

    def overruled_by(self, controller: Controller) -> str | None:
        """Why this site's controller has no say any more, although it has not been told; None where nobody says so.

        For one that may have been silent; a region that is silent now overrules nothing.
        """
        try:
            other = self.other_state.written()
        except AwsError as error:
            logger.info("The other site's record was not looked at", error=str(error))
            return None
        if other is None or not is_overruled(self.settings.here, controller, other):
            return None
        return f"the {self.settings.here.other} site's controller has the authority since epoch {other.epoch}"

    def _adopt(self, adopted: Controller) -> Recorded:
        try:
            controller = self.state.save_controller(adopted)
        except AnotherRunIsAtWorkError as error:
            logger.warning("Another run has adopted it", error=str(error))
            return Recorded(adopted, agrees=False)
        self.people.tell_adopted(str(adopted.adopted_by), adopted.writer_site)
        return Recorded(controller)

    def tell_the_other_site(self, controller: Controller) -> Controller:
        """Write the adoption into the other site's record; a region that is dark hears of it when it comes back.

        A record that is as new by another way (another word, a failover meanwhile) is people's to settle: a new word is
        newer than both.

        Returns:
            This site's record as it is now.
        """
        try:
            other = self.other_state.written()
            tell = telling_of_adoption(controller, other)
            if tell.record is not None:
                self.other_state.save_controller(tell.record)
            elif tell.refusal is not None and other is not None:
                self.people.tell_records_differ(controller, other)
        except AnotherRunIsAtWorkError as error:
            logger.warning("The other site's record was changed meanwhile", error=str(error))
            return controller
        except AwsError as error:
            logger.warning("The other site was not told", error=str(error))
            return controller
        return self.state.save_controller(replace(controller, owes_telling=False))
