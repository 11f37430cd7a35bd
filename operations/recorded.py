"""What is on record, for the times when the function that sees does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from function_runtime import words
from function_runtime.control import Control
from function_runtime.incident import Incident
from function_runtime.state import Controller, ControlUnreadableError, State
from operations.errors import RefusedError
from operations.status_text import incident

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class Recorded:
    """What the state table holds.

    Attributes:
        controller: what the controller knew at its last write.
        control: what people have told it; None where that cannot be read.
        unreadable: why it cannot be read; None where it can.
        incident: the failover under way.
        last_incident: the one that closed last.
    """

    controller: Controller
    control: Control | None
    unreadable: str | None
    incident: Incident | None
    last_incident: Incident | None

    @classmethod
    def read(cls, client: DynamoDBClient, table_name: str) -> Recorded:
        """Read it.

        Raises:
            RefusedError: DynamoDB refuses or does not answer, or an item is damaged.
        """
        state = State(client, table_name)

        def known(incident_id: str | None) -> Incident | None:
            return None if incident_id is None else state.incident(incident_id)

        try:
            controller = state.controller()
            control, unreadable = _control(state)
            return cls(
                controller, control, unreadable, known(controller.incident_id), known(controller.last_incident_id)
            )
        except (ClientError, BotoCoreError) as error:
            raise RefusedError(
                "stateTableName", table_name, f"DynamoDB does not tell either ({error}); look at the region in AWS"
            ) from error
        except (LookupError, ValueError, TypeError) as error:
            raise RefusedError(
                "stateTableName", table_name, f"what it holds is damaged ({error!r}); see the runbook, state lost"
            ) from error

    def text(self, why: str, now: datetime) -> list[str]:
        """For a person.

        Args:
            why: why the function did not tell.
            now: the time here.
        """
        controller = self.controller
        last = controller.decision
        begun = "primary, nothing recorded yet" if controller.version == 0 else str(controller.writer_site)
        since = controller.trouble
        return [
            f"NOT SEEN NOW: {why}",
            f"What follows is on record in the state table, read at {words.moment(now)}. Unknown are: whether the",
            "writer answers, all signals, the replication lag, and what the controller would decide now.",
            "",
            *words.rows(
                [
                    ("writer", [f"{begun} (epoch {controller.epoch})"]),
                    ("mode", self._mode(now)),
                    (
                        "trouble then",
                        [words.NONE if since is None else f"{since.kind} since {words.ago(since.since, now)}"],
                    ),
                    (
                        "last decision",
                        [words.NONE] if last is None else [f"{last['action']} ({last['code']})", last["reason"]],
                    ),
                    ("order", self._order(now)),
                ]
            ),
            "",
            *self._incidents(),
        ]

    def as_json(self, why: str) -> dict[str, Any]:
        """For machines."""
        controller = self.controller
        return {
            "not_seen": why,
            "recorded": {
                "writer_site": controller.writer_site.value,
                "epoch": controller.epoch,
                "trouble": None if controller.trouble is None else controller.trouble.as_item(),
                "last_decision": controller.decision,
                "control": None if self.control is None else self.control.as_item(),
                "control_unreadable": self.unreadable,
                "incident": None if self.incident is None else self.incident.as_item(),
                "last_incident": None if self.last_incident is None else self.last_incident.as_item(),
            },
        }

    def _mode(self, now: datetime) -> list[str]:
        if self.control is None:
            return [f"unknown: {self.unreadable}"]
        if self.control.pause is not None:
            return [words.pause(self.control.pause, now)]
        return ["nobody has paused; the configured mode is unknown"]

    def _order(self, now: datetime) -> list[str]:
        if self.control is None:
            return [words.UNKNOWN]
        return (
            [words.NONE]
            if self.control.order is None
            else words.order(self.control.order, now, self.controller.epoch + 1)
        )

    def _incidents(self) -> list[str]:
        lines = []
        for name, one in (("incident under way", self.incident), ("last incident", self.last_incident)):
            lines += [f"{name}: none"] if one is None else [name, *incident(one)]
        return lines


def _control(state: State) -> tuple[Control | None, str | None]:
    try:
        return state.control(), None
    except ControlUnreadableError as error:
        return None, str(error)
