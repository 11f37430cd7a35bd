"""Holding a request against the situation: what is refused, and what a person is warned of."""

from __future__ import annotations

from collections.abc import Sequence

from deployment.arguments import Command, Request
from deployment.deployed import Survey
from deployment.situation import Condition, Situation
from deployment.situation_in_aws import active_site, situation_of
from deployment.verdict import DATA, Answer, Destruction, Verdict, verdict
from shared.environment import Environment, Kind
from shared.errors import SettingsError
from shared.layers import Layer, layer
from shared.stack_files import written_value

AUTOMATION = "dr-automation"
NETWORK = "network"
REFRESH_TOO = "--refresh"
LOOKING = (Command.PREVIEW, Command.DRIFT)


def look(request: Request, survey: Survey, environment: Environment) -> Situation:
    """The situation that a request meets.

    Raises:
        SettingsError: something would be changed, and AWS cannot be asked.
    """
    active = active_site(environment.stack)
    concerned = {name for name, known in survey.items() if known.resources}
    if request.command.runs_programs:
        concerned |= {each.name for each in request.layers}
    if request.command is Command.OUTPUTS or not concerned & {DATA, AUTOMATION}:
        return Situation(Condition.FRESH, active, active)
    try:
        return situation_of(environment, survey[NETWORK].outputs, request.writer)
    except SettingsError as error:
        if request.command not in LOOKING:
            raise
        return Situation(Condition.UNKNOWN, active, None, f"{error.key} = {error.value}", remedy=error.remedy)


def judge(
    request: Request, layers: Sequence[Layer], situation: Situation, survey: Survey, environment: Environment
) -> list[str]:
    """What to warn of, each reason once.

    Args:
        request: what was asked for.
        layers: those of its layers that are to be judged.
        situation: what it meets.
        survey: what is deployed.
        environment: whose.

    Raises:
        SettingsError: it is refused for one of the layers, with what to do first.
    """
    if not request.changes_something and request.command.changes_state:
        request = _as_a_look(request)
    if situation.is_dark and REFRESH_TOO in request.handed_on:
        raise SettingsError(REFRESH_TOO, "(given)", f"leave it out: {situation.why}, and a refresh asks every region")
    destruction = _destruction(survey, situation, environment)
    judged = {
        each.name: verdict(request.command, each.name, situation, request.stack, destruction)
        for each in layers
        # A destroy or a refresh of what was never deployed touches nothing.
        if request.command.runs_programs or survey[each.name].resources
    }
    for name, each in judged.items():
        if each.answer is Answer.REFUSE:
            raise SettingsError("layer", name, _refusal(request, each, judged))
    return list(dict.fromkeys(each.why for each in judged.values() if each.answer is Answer.WARN))


def _as_a_look(request: Request) -> Request:
    """A destroy or refresh that only previews is judged as a look."""
    return Request(Command.DRIFT, request.layers, request.stack, handed_on=request.handed_on)


def _refusal(request: Request, refused: Verdict, judged: dict[str, Verdict]) -> str:
    others = [name for name, each in judged.items() if each.answer is not Answer.REFUSE]
    told = f"{refused.why}. Nothing was touched: {refused.remedy}"
    if request.command is Command.DEPLOY and others:
        told += f"; the other layers can be deployed: ./dr deploy -- {' '.join(others)} --stack {request.stack}"
    return told


def _destruction(survey: Survey, situation: Situation, environment: Environment) -> Destruction:
    says_so = written_value(layer(DATA).folder, environment.stack, "skipFinalSnapshot") == "true"
    writer = situation.writer
    return Destruction(
        skips_snapshot=writer is not None and environment.database_id(writer) in survey[DATA].without_final_snapshot,
        is_short_lived=says_so and environment.kind is not Kind.PRODUCTION and not environment.protected,
    )
