"""What the state table says, for the times when the failover function does not answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from deployment.state_tables import Answer, read_table
from function_runtime import words
from function_runtime.clients import AwsError
from function_runtime.control import Control
from function_runtime.incident import Incident
from function_runtime.sites import Site
from function_runtime.state import Controller, ControlUnreadableError, State
from operations import status_text
from operations.errors import RefusedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class Recorded:
    """What the state table holds.

    Attributes:
        controller: what the controller wrote last.
        control: the pause and the order on record; None if they cannot be read.
        unreadable: why they cannot be read; None if they can.
        incident: the failover under way.
        last_incident: the failover that closed last.
    """

    controller: Controller
    control: Control | None
    unreadable: str | None
    incident: Incident | None
    last_incident: Incident | None

    @classmethod
    def read(cls, client: DynamoDBClient, table_name: str, site: Site) -> Recorded:
        """Read the table; of one whose items are lost, what is left of it.

        Raises:
            RefusedError: DynamoDB refuses or does not answer, or an item is damaged.
        """
        table = read_table(site, client, table_name)
        if table.answer is Answer.DAMAGED:
            raise RefusedError("stateTableName", table_name, f"its content is damaged ({table.why}); see the runbook")
        if table.answer not in (Answer.RECORD, Answer.EMPTY):
            raise RefusedError(
                "stateTableName", table_name, f"DynamoDB cannot be read either ({table.why}); look at the region in AWS"
            )
        controller = Controller() if table.controller is None else table.controller
        state = State(client, table_name)
        control, unreadable = None, None
        try:
            under_way, last = (
                None if each is None else state.incident(each)
                for each in (controller.incident_id, controller.last_incident_id)
            )
            try:
                control = state.control()
            except ControlUnreadableError as error:
                unreadable = str(error)
        except AwsError as error:
            raise RefusedError(
                "stateTableName", table_name, f"DynamoDB cannot be read either ({error}); look at the region in AWS"
            ) from error
        except (LookupError, ValueError, TypeError) as error:
            raise RefusedError(
                "stateTableName", table_name, f"its content is damaged ({error!r}); see the runbook, state lost"
            ) from error
        return cls(controller, control, unreadable, under_way, last)

    def text(self, why: str, now: datetime) -> list[str]:
        """For a person.

        Args:
            why: why the function did not answer.
            now: the time here.
        """
        known, control, last = self.controller, self.control, self.controller.decision
        if control is None:
            mode, order = f"unknown: {self.unreadable}", [words.UNKNOWN]
        else:
            not_paused = "nobody has paused; the configured mode is unknown"
            mode = not_paused if control.pause is None else words.pause(control.pause, now)
            order = status_text.order(control.order, now, known.epoch + 1)
        writer = f"{known.writer_site}{', nothing recorded yet' if known.version == 0 else ''}"
        return [
            f"NO CURRENT STATUS: {why}",
            f"Below is what the state table says, read at {words.moment(now)}. Not known are: whether the writer",
            "answers, every signal, the replication lag, and what the controller would decide now.",
            "",
            *words.rows(
                [
                    ("writer", [f"{writer} (epoch {known.epoch})"]),
                    ("authority", [known.authority.value]),
                    ("mode", [mode]),
                    ("last trouble", [status_text.trouble(known.trouble, now)]),
                    (
                        "last decision",
                        [words.NONE] if last is None else [f"{last['action']} ({last['code']})", last["reason"]],
                    ),
                    ("order on record", order),
                ]
            ),
            "",
            *status_text.incidents(self.incident, self.last_incident),
        ]

    def as_json(self, why: str) -> dict[str, Any]:
        """For machines."""
        return {
            "not_seen": why,
            "recorded": {
                "writer_site": self.controller.writer_site.value,
                "authority": self.controller.authority.value,
                "epoch": self.controller.epoch,
                "trouble": _item(self.controller.trouble),
                "last_decision": self.controller.decision,
                "control": _item(self.control),
                "control_unreadable": self.unreadable,
                "incident": _item(self.incident),
                "last_incident": _item(self.last_incident),
            },
        }


def _item(recorded: Any) -> dict[str, Any] | None:
    item: dict[str, Any] | None = None if recorded is None else recorded.as_item()
    return item
