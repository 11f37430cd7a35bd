"""``python -m deployment.groups [--stack NAME] [--yes] [--production]``: a replaced database group reaches databases.

Pulumi leaves the databases' groups alone, because the controller and the fence-guards swap them. So where the network
layer has made another database group, somebody has to put the databases into it. Only those that are open: never one
that is shut in, and never an old writer.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployment.adoption_network import blocks, is_admitted, let_in
from deployment.arguments import DEFAULT_STACK, PRODUCTION
from deployment.deployed import look
from deployment.judging import NETWORK
from deployment.preflight import refuse_unnamed_production
from deployment.pulumi_cli import PulumiCli, PulumiFailed
from deployment.situation import Condition
from deployment.situation_in_aws import CONFIG, described, situation_of
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import layer
from shared.sites import Site

if TYPE_CHECKING:
    from mypy_boto3_rds.type_defs import DBInstanceTypeDef

DONE, FAILED, BAD_INPUT, NOT_SO = 0, 1, 2, 3
PAUSE_SECONDS = 2.0
PATIENCE_SECONDS = 300.0
DEFAULT_PORT = 5432

Say = Callable[[str], None]
Ask = Callable[[str], bool]


@dataclass(frozen=True)
class Standing:
    """Where a database stands.

    Attributes:
        site: its site.
        name: its identifier.
        groups: its security groups.
        wanted: the site's database group.
        left_alone: why it is not moved there; None where it is.
        shut_out: who comes in by the groups that it would leave, and not by the database group.
    """

    site: Site
    name: str
    groups: frozenset[str]
    wanted: str
    left_alone: str | None
    shut_out: tuple[str, ...] = ()

    def text(self) -> str:
        """A line for a person."""
        found = ", ".join(sorted(self.groups)) or "no group"
        if self.left_alone is not None:
            return f"{self.name} stands in {found}: {self.left_alone}"
        lost = f", WHICH SHUTS OUT {', '.join(self.shut_out)}" if self.shut_out else ""
        return f"{self.name} stands in {found}, and would be put into {self.wanted}{lost}"


def why_left_alone(
    groups: frozenset[str], wanted: str, shut: Mapping[str, str], *, serves: bool, ruleless: frozenset[str]
) -> str | None:
    """Why a database is not put into the database group; None where it is to be.

    Args:
        groups: where it stands.
        wanted: the database group.
        shut: what the groups that shut a database in are called, by id.
        serves: it is the writer on record, or a replica.
        ruleless: those of the account's groups that let nobody in. A quarantine group that was replaced is one of them.
    """
    if groups == {wanted}:
        return "that is right"
    for group, called in shut.items():
        if group in groups:
            return f"it is shut in by the {called} group, and stays so"
    if not serves:
        return "it is neither the writer on record nor a replica: a deploy or a person opens no old writer"
    if groups & ruleless or not groups:
        return "nobody gets in there, so it was shut in, and stays so"
    return None


def look_at(site: Site, environment: Environment, network: Mapping[str, object], writer: Site) -> Standing | None:
    """Where a site's database stands; None where there is none.

    Args:
        site: whose.
        environment: whose.
        network: the outputs of the network layer.
        writer: the site whose database is the writer on record.

    Raises:
        SettingsError: the network layer does not say which groups there are.
        ClientError: AWS refuses to show it.
        BotoCoreError: AWS does not answer.
    """
    region, name = environment.regions[site], environment.database_id(site)
    instance = described(_client("rds", region), name)
    if instance is None:
        return None
    groups = _groups(instance)
    wanted = _output(network, f"{site}DatabaseSecurityGroupId")
    return Standing(
        site,
        name,
        groups,
        wanted,
        why_left_alone(
            groups,
            wanted,
            {_output(network, f"{site}{kind}SecurityGroupId"): kind.lower() for kind in ("Quarantine", "Inspection")},
            serves=site is writer or bool(instance.get("ReadReplicaSourceDBInstanceIdentifier")),
            ruleless=_ruleless(region, groups),
        ),
        _shut_out(region, groups - {wanted}, wanted, instance.get("Endpoint", {}).get("Port", DEFAULT_PORT)),
    )


def put_right(
    environment: Environment,
    network: Mapping[str, object],
    say: Say,
    ask: Ask,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Show where the databases stand and, after a yes, put those that are open into the database group.

    Args:
        environment: whose.
        network: the outputs of the network layer.
        say: prints one line.
        ask: asks the person, True for yes.
        sleep: waits so many seconds.

    Returns:
        False where the person said no.

    Raises:
        SettingsError: AWS cannot be asked, or something changed between the question and the answer.
    """
    try:
        return _put_right(environment, network, say, ask, sleep)
    except (BotoCoreError, ClientError) as error:
        raise SettingsError("AWS", f"({type(error).__name__})", f"let these credentials do that: {error}") from error


def _put_right(
    environment: Environment, network: Mapping[str, object], say: Say, ask: Ask, sleep: Callable[[float], None]
) -> bool:
    writer = settled_writer(environment, network)
    found: list[Standing] = []
    for site in Site:
        try:
            standing = look_at(site, environment, network, writer)
        except BotoCoreError as error:
            say(f"{environment.regions[site]} does not answer, and nothing is done there: {error}")
            continue
        found += [] if standing is None else [standing]
    for each in found:
        say(each.text())
    moving = [each for each in found if each.left_alone is None]
    if not moving:
        return True
    if not ask(f"put {' and '.join(each.name for each in moving)} into the database group?"):
        return False
    for each in moving:
        # A fence does not wait for an answer.
        if look_at(each.site, environment, network, settled_writer(environment, network)) != each:
            raise SettingsError(each.name, "(changed meanwhile)", "nothing was done with it: run this again and look")
        rds = _client("rds", environment.regions[each.site])
        # Without ApplyImmediately: a changed group does not wait for the maintenance window, other changes do.
        rds.modify_db_instance(DBInstanceIdentifier=each.name, VpcSecurityGroupIds=[each.wanted])
        for _ in range(int(PATIENCE_SECONDS / PAUSE_SECONDS)):
            instance = described(rds, each.name)
            if instance is not None and _groups(instance, status="active") == {each.wanted}:
                break
            sleep(PAUSE_SECONDS)
        else:
            raise SettingsError(each.name, "(not in its group yet)", "RDS took the change: look again with ./dr groups")
        say(f"{each.name} stands in {each.wanted}")
    return True


def settled_writer(environment: Environment, network: Mapping[str, object]) -> Site:
    """The site whose database is the writer, while nothing moves it.

    Raises:
        SettingsError: a failover or a handover is under way, or nobody can say which it is.
    """
    situation = situation_of(environment, network)
    if situation.writer is None or situation.condition in (Condition.INCIDENT, Condition.HANDING_OVER):
        remedy = situation.remedy or "wait for its end: ./dr status"
        raise SettingsError("stack", environment.stack, f"{situation.why}: nothing was changed; {remedy}")
    return situation.writer


def _client(service: Any, region: str) -> Any:
    return boto3.client(service, region_name=region, config=CONFIG)


def _groups(instance: DBInstanceTypeDef, status: str | None = None) -> frozenset[str]:
    return frozenset(
        each.get("VpcSecurityGroupId", "")
        for each in instance.get("VpcSecurityGroups", [])
        if status is None or each.get("Status") == status
    )


def _ruleless(region: str, groups: frozenset[str]) -> frozenset[str]:
    found = _client("ec2", region).describe_security_groups(GroupIds=sorted(groups))["SecurityGroups"] if groups else []
    return frozenset(each["GroupId"] for each in found if not each.get("IpPermissions"))


def _shut_out(region: str, leaving: frozenset[str], wanted: str, port: int) -> tuple[str, ...]:
    """Who comes in to a port by the groups that are left, and not by the database group."""
    if not leaving:
        return ()
    ec2 = _client("ec2", region)
    still = set(let_in(ec2, [wanted], "", port))
    admitted = tuple(blocks(still))
    lost = dict.fromkeys(let_in(ec2, sorted(leaving), "", port))
    return tuple(each for each in lost if each not in still and not is_admitted(each, admitted))


def _output(network: Mapping[str, object], key: str) -> str:
    if key not in network:
        raise SettingsError("layer network", f"(no output {key})", "deploy it first: ./dr deploy -- network")
    return str(network[key])


def main(arguments: Sequence[str]) -> int:
    """Carry out the command.

    Returns:
        0 when all is right; 1 when Pulumi failed; 2 for bad input; 3 when the person said no.
    """
    given = _parse(arguments)
    try:
        done = _run(given)
    except SettingsError as error:
        sys.stderr.write(f"error: {error}\n")
        return BAD_INPUT
    except PulumiFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return FAILED
    return DONE if done else NOT_SO


def _run(given: Namespace) -> bool:
    environment = Environment.load(given.stack)
    if not given.yes and not sys.stdin.isatty():
        raise SettingsError("--yes", "(not given)", "add it: there is no terminal here to ask a question at")
    network = look(PulumiCli.on_path(), layer(NETWORK), given.stack)
    if not given.production:
        refuse_unnamed_production(environment, {NETWORK: network})
    environment.refuse_another(network.outputs)
    return put_right(environment, network.outputs, _say, (lambda _: True) if given.yes else _ask)


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = ArgumentParser("groups", description="Put databases that are open into their site's database group.")
    parser.add_argument("--stack", default=DEFAULT_STACK, help="the environment, %(default)s by default")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(PRODUCTION, action="store_true", help="say that production is meant")
    return parser.parse_args(arguments)


def _ask(question: str) -> bool:
    try:
        return input(f"{question} Only yes means yes: ").strip().lower() == "yes"
    except (EOFError, KeyboardInterrupt):
        return False


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
