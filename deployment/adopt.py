"""``python -m deployment.adopt --database ID --region R [--stack NAME]``: what adopting a database would mean.

Nothing is changed: it reads RDS, EC2, KMS, CloudWatch Logs and the master user's secret with the person's own
credentials, and holds what it finds against what the network and the data layer would declare.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from deployment.adoption_network import Placed, placed
from deployment.adoption_text import Report
from deployment.arguments import DEFAULT_STACK
from deployment.layer_settings import layer_module, load_settings
from deployment.situation_in_aws import CONFIG
from shared.environment import Environment
from shared.errors import SettingsError
from shared.layers import layer
from shared.sites import Site
from shared.stack_files import load_configuration

UNTOUCHED, BAD_INPUT, DIFFERENT = 0, 2, 3

Say = Callable[[str], None]


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError("arguments", f"({message})", "see ./dr adopt -- --help")


def main(arguments: Sequence[str], say: Say | None = None) -> int:
    """Carry out the command.

    Returns:
        0 where it can be adopted as it is; 2 for bad input; 3 where something has to be done or written first.
    """
    say = _say if say is None else say
    try:
        given = _parse(arguments)
        report = look(given.database, given.region, given.stack)
    except SettingsError as error:
        sys.stderr.write(f"error: {error}\n")
        return BAD_INPUT
    for line in report.lines():
        say(line)
    return UNTOUCHED if report.is_ready else DIFFERENT


def look(database: str, region: str, stack: str) -> Report:
    """What adopting a database into an environment would mean.

    Args:
        database: its identifier.
        region: where it is.
        stack: the environment.

    Raises:
        SettingsError: there is no such database or environment, or AWS cannot be asked.
    """
    site = _site(Environment.load(stack), region)
    data, network = (
        load_settings(layer(name), load_configuration(layer(name).folder, stack)) for name in ("data", "network")
    )
    try:
        return _report(site, database, data, network)
    except (BotoCoreError, ClientError) as error:
        raise SettingsError("AWS", f"({type(error).__name__})", f"let these credentials look: {error}") from error


def _report(site: Site, database: str, data: Any, network: Any) -> Report:
    environment: Environment = data.environment
    region = environment.regions[site]
    adoption, parameters, in_aws = (
        _module("data", name) for name in ("adoption", "adoption_parameters", "adoption_in_aws")
    )
    rds, ec2 = (_client(service, region) for service in ("rds", "ec2"))
    instance = in_aws.described(rds, database)
    if instance is None:
        raise SettingsError("--database", database, f"RDS has no such instance in {region}: give one of there")
    account = str(instance.get("DBInstanceArn", "")).split(":")[4:5]
    if account not in ([], [environment.account_id]):
        raise SettingsError(
            "accountId",
            environment.account_id,
            f"these credentials see {database} of account {account[0]}: take those of {environment.account_id}, or "
            f"correct environments/{environment.stack}.yaml",
        )
    found = in_aws.found(
        instance,
        _client("rds", environment.regions[site.other]),
        _client("kms", region),
        _client("logs", region),
    )
    group = in_aws.parameter_group(rds, instance["DBParameterGroups"][0]["DBParameterGroupName"])
    declared = _module("data", "parameters").database_parameters(
        max_slot_wal_keep_size_megabytes=data.max_slot_wal_keep_size_megabytes,
        slow_statement_milliseconds=data.slow_statement_milliseconds,
        replication_timeout_seconds=data.replication_timeout_seconds,
        further=data.further_parameters,
    )
    where: Placed = placed(ec2, instance, network, site, _module("network", "existing_in_aws"))
    return Report(
        environment=environment,
        site=site,
        instance=instance,
        facets=(
            *where.facets(adoption),
            *_secret(adoption, environment, site, data, instance),
            *_owner(adoption, in_aws.another_owner(instance, environment, region), environment),
            *adoption.facets(found, data, site, network.database_port),
            *parameters.parameter_facets(group, declared),
        ),
        effects=tuple(adoption.Effect),
        adopted=str(data.instances[site].birth) == "adopted" and environment.database_id(site) == database,
        parameters=tuple(parameters.differing(group, declared)),
        group=group.name,
        sharing=in_aws.sharing(rds, group.name, database),
        placed=where,
        secret_id=data.secret_id,
        backup_days=data.backup_retention_days,
    )


def _owner(adoption: Any, other: str | None, environment: Environment) -> list[Any]:
    """Whether another environment has it already."""
    if other is None:
        return []
    note = "two controllers would fence each other's"
    return [adoption.Facet("owner", other, environment.stack, adoption.Effect.IMPOSSIBLE, note)]


def _secret(adoption: Any, environment: Environment, site: Site, data: Any, instance: Any) -> list[Any]:
    """Whether the secret has the master user of the database; nobody can compare its password without logging in."""
    client = _client("secretsmanager", environment.regions[site])
    wanted = instance["MasterUsername"]
    try:
        user = _module("data", "preflight").check_secret(client, data.secret_id, environment.regions).username
    except SettingsError as error:
        found, note = "no usable secret", error.remedy
    else:
        if user == wanted:
            return []
        found, note = user, f"store {wanted} and its password in {data.secret_id}, in both regions"
    return [adoption.Facet("master user in the secret", found, wanted, adoption.Effect.FIRST, note)]


def _site(environment: Environment, region: str) -> Site:
    for site, known in environment.regions.items():
        if known == region:
            return site
    raise SettingsError(
        "--region",
        region,
        f"environment {environment.stack} has {' and '.join(environment.regions.values())}: give one of them, or set "
        f"primaryRegion and recoveryRegion in environments/{environment.stack}.yaml",
    )


def _module(of: str, name: str) -> Any:
    return layer_module(layer(of), name)


def _client(service: Any, region: str) -> Any:
    return boto3.client(service, region_name=region, config=CONFIG)


def _parse(arguments: Sequence[str]) -> Namespace:
    parser = _Parser("adopt", description="Say what adopting a database that is there would mean. Nothing is changed.")
    parser.add_argument("--database", required=True, metavar="ID", help="its identifier in RDS")
    parser.add_argument("--region", required=True, help="where it is: the region of one of the sites")
    parser.add_argument("--stack", default=DEFAULT_STACK, help="the environment it is to join, %(default)s by default")
    return parser.parse_args(arguments)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
