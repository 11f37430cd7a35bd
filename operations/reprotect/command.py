"""``nox -s reprotect``: show the plan, ask, carry it out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3

from deployment import flat_outputs
from function_runtime import words
from function_runtime.sites import Site
from operations.access import CONFIG, Role
from operations.console import Console
from operations.deployment import Deployment
from operations.errors import RefusedError
from operations.exit_codes import DONE, INTERRUPTED, REFUSED, WOULD_NOT_HAPPEN
from operations.places import Places
from operations.reprotect import plan_text
from operations.reprotect.data_layer import DataLayer
from operations.reprotect.on_aws import AwsWorld
from operations.reprotect.plan import STEPS, Plan, plan
from operations.reprotect.record import Record
from operations.reprotect.refusals import Words, refuse
from operations.reprotect.runner import reprotect, undo
from operations.reprotect.seen import look
from operations.reprotect.steps import Step
from operations.reprotect.world import World
from operations.requests import ReprotectRequest
from shared.errors import SettingsError

AGAIN = "nox -s reprotect"


def on_pulumi(request: ReprotectRequest, deployment: Deployment, role: Role, console: Console) -> int:
    """Carry the command out on AWS, with the Pulumi CLI.

    Returns:
        As `carry_out`.

    Raises:
        SettingsError: the outputs lack something, or there is no Pulumi CLI.
        RefusedError: as `carry_out`.
    """
    # Importing Pulumi takes longer than most commands.
    from deployment.pulumi_cli import PulumiCli
    from operations.reprotect.pulumi_layer import PulumiDataLayer

    outputs, places = flat_outputs.read(request.outputs), Places.read(request.outputs)
    arns = {site: str(outputs[f"{site}DatabaseArn"]) for site in Site}
    identifiers = {site: place.database_id for site, place in places.at.items()}
    layer = PulumiDataLayer(deployment.stack_name, identifiers, arns, PulumiCli.on_path())
    layer.required()
    own = boto3.session.Session()
    rds: dict[Site, Any] = {
        site: own.client("rds", region_name=place.region, config=CONFIG) for site, place in places.at.items()
    }
    world = AwsWorld(role.by, deployment, role, rds, places, arns, console)
    if not request.as_json:
        console.say([str(deployment)])
    return carry_out(request, world, layer, console)


def carry_out(request: ReprotectRequest, world: World, layer: DataLayer, console: Console) -> int:
    """Show the plan; then, unless it is a dry run, ask and carry it out.

    Returns:
        0 done, nothing to do, or a dry run of what would happen; 1 it stopped on the way; 3 a dry run of what would not
        happen; 130 interrupted.

    Raises:
        RefusedError: nothing was done.
    """
    if request.undo:
        record = undo(world, layer, lambda line: console.say([line]))
        console.say([f"Undone, and on record since {words.moment(record.began_at)}. See nox -s status."])
        return DONE
    said = Words(request.without_snapshot, request.settled)
    ahead = plan(look(world, layer))
    shown = Shown(console, world, ahead, as_json=request.as_json)
    shown.plan(said)
    if ahead.reason is None:
        return DONE
    if request.dry_run:
        return _dry_run(ahead, said, console, as_json=request.as_json)
    refuse(ahead.seen, said)
    if not request.yes:
        answer = console.ask(f"Type {ahead.seen.other} to do it: ")
        if answer != ahead.seen.other:
            raise RefusedError("site", answer or "(nothing)", f"nothing was done; type {ahead.seen.other} to do it")
    try:
        record_or_none = reprotect(world, layer, said, shown.say, shown.step, keep_looking=request.keep_looking)
    except KeyboardInterrupt:
        shown.say(f"interrupted; what was done stays, and {AGAIN} goes on from there")
        return INTERRUPTED
    except (RefusedError, SettingsError) as error:
        shown.say(f"stopped: {error}")
        shown.say(f"what was done stays, a pause among it; {AGAIN} goes on from there, -- --undo takes it back")
        return REFUSED
    shown.end(record_or_none)
    return DONE


def _dry_run(ahead: Plan, said: Words, console: Console, *, as_json: bool) -> int:
    try:
        refuse(ahead.seen, said)
    except RefusedError as error:
        told = {"would_happen": False, "why": str(error)}
        console.say([json.dumps(told)] if as_json else ["Dry run: nothing was done.", f"It would NOT happen: {error}"])
        return WOULD_NOT_HAPPEN
    console.say([json.dumps({"would_happen": True})] if as_json else ["Dry run: nothing was done.", "It would happen."])
    return DONE


@dataclass
class Shown:
    """Progress for a person, or as JSON, an object a line.

    Attributes:
        console: where.
        world: the clock.
        ahead: the plan.
        as_json: as JSON.
    """

    console: Console
    world: World
    ahead: Plan
    as_json: bool

    def plan(self, said: Words) -> None:
        """Show the plan."""
        if self.as_json:
            self.console.say([json.dumps({"plan": self.ahead.as_json()})])
        else:
            backup = None if self.ahead.reason is None else self.world.newest_backup()
            self.console.say(plan_text.told(self.ahead, said, backup, self.world.now()))

    def say(self, line: str) -> None:
        """A line of progress."""
        at = self.world.now()
        self.console.say([json.dumps({"at": at.isoformat(), "said": line})] if self.as_json else [f"    {line}"])

    def step(self, step: Step, record: Record) -> None:
        """A step that begins or is done."""
        at = self.world.now()
        done = record.step(step.name)
        finished = None if done is None else done.finished_at
        detail = "" if done is None else done.detail
        if self.as_json:
            told = {"at": at.isoformat(), "step": step.name.value, "done": finished is not None, "detail": detail}
            self.console.say([json.dumps(told)])
            return
        number = f"{STEPS.index(step) + 1}/{len(STEPS)}"
        if finished is None or done is None:
            expected = f", about {step.minutes} min" if step.minutes else ""
            self.console.say([f"{at:%H:%M:%S} UTC  {number} {step.name}: {step.title}{expected}"])
        else:
            took = words.span((finished - done.began_at).total_seconds())
            self.console.say([f"{at:%H:%M:%S} UTC  {number} {step.name}: done after {took}: {detail}"])

    def end(self, record: Record | None) -> None:
        """What has come of it."""
        if self.as_json:
            item = None if record is None else record.as_item()
            self.console.say([json.dumps({"record": item})])
        elif record is not None and record.finished_at is None:
            meanwhile = plan_text.unprotected(self.ahead)
            self.console.say(
                words.indented(
                    [
                        f"Stopped before the old instance of {record.site} is let go.",
                        f"Look at it: nox -s restore -- --inspect ID --site {record.site}",
                        f"Until there is a new standby, {meanwhile}.",
                        f"Close it again, then go on: {AGAIN}",
                    ],
                    by=0,
                )
            )
        elif record is not None:
            self.console.say([f"Protected: {record.site} is the standby of {record.writer_site}. See nox -s status."])
