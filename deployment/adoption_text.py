"""What adopting a database would mean, as text: differences by their effect, settings to write, commands in order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deployment.adoption_network import Placed
from deployment.arguments import PRODUCTION
from shared.environment import Environment, Kind
from shared.layers import layer
from shared.secret_id import secret_id_in
from shared.sites import Site

IMPOSSIBLE, FIRST, SETTING = "IMPOSSIBLE", "FIRST", "SETTING"
BEFORE = (IMPOSSIBLE, FIRST, SETTING)
LISTED = "furtherParameters"
FORCE_TLS = "rds.force_ssl"


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        environment: which the database is to join.
        site: as whose database.
        instance: as RDS describes it.
        facets: every difference.
        effects: of differences, the worst first.
        adopted: the stack's configuration adopts this database already.
        parameters: the layer's parameters that its group does not have.
        group: its parameter group.
        sharing: the other databases that have it too.
        placed: its network.
        secret_id: entry of Secrets Manager for the master user.
        backup_days: how long backups are to be kept.
    """

    environment: Environment
    site: Site
    instance: Mapping[str, Any]
    facets: Sequence[Any]
    effects: Sequence[Any]
    adopted: bool
    parameters: Sequence[Any]
    group: str
    sharing: Sequence[str]
    placed: Placed
    secret_id: str
    backup_days: int

    @property
    def is_ready(self) -> bool:
        """Whether a deploy adopts it as it is: nothing is to be done or written first."""
        return self.adopted and not any(map(self._has, BEFORE))

    def lines(self) -> Iterator[str]:
        """The report."""
        name, region = self.instance["DBInstanceIdentifier"], self.environment.regions[self.site]
        yield (
            f"{name} ({self.instance['DbiResourceId']}) in {region}, as the {self.site} site's database of environment "
            f"{self.environment.stack}. Nothing was changed."
        )
        for effect in self.effects:
            of_effect = [facet for facet in self.facets if facet.effect is effect]
            if of_effect:
                yield from ("", f"{effect}:")
            for facet in of_effect:
                argument = f" [{facet.argument}]" if facet.argument else ""
                yield f"  {facet.what}{argument}: {facet.found}, and not {facet.declared}"
                if facet.note:
                    yield f"    {facet.note}"
        if self.is_ready:
            yield from ("", "It can be adopted as it is.")
        if self._has(IMPOSSIBLE):
            return
        yield from self._settings()
        if self._has(FIRST):
            yield from ("", "Do what is to be done first, then run this again.")
            return
        yield from ("", "Then, in this order (docs/adopting.md says how to go back from each):")
        yield from (f"  {number}. {step}" for number, step in enumerate(self._steps(), start=1))

    def _has(self, effect: str) -> bool:
        return any(facet.effect.name == effect for facet in self.facets)

    def _settings(self) -> Iterator[str]:
        stack, site = self.environment.stack, self.site
        data: dict[str, object] = {}
        listed: list[object] = []
        if not self.adopted:
            data = {f"{site}Birth": "adopted", f"{site.other}Birth": "none", "backupReplicationRetentionDays": 0}
            data |= {} if site is Site.PRIMARY else {"activeSite": str(site)}
        for facet in self.facets:
            for key, value in (facet.settings or {}).items():
                if key == LISTED:
                    listed.append(value)
                else:
                    data[key] = value
        if listed:
            data[LISTED] = listed
        files = {
            f"environments/{stack}.yaml": []
            if self.adopted
            else [f"{site}DatabaseId: {self.instance['DBInstanceIdentifier']}"],
            f"projects/network/Pulumi.{stack}.yaml": _as_yaml("network", self.placed.settings),
            f"projects/data/Pulumi.{stack}.yaml": _as_yaml("data", data),
        }
        if any(files.values()):
            yield from ("", "Write these settings (the layers' under config:), then run this again:")
        for file, written in files.items():
            if written:
                yield from (f"  {file}", *(f"    {line}" for line in written))

    def _steps(self) -> Iterator[str]:
        region, name = self.environment.regions[self.site], self.instance["DBInstanceIdentifier"]
        named = f" {PRODUCTION}" if self.environment.kind is Kind.PRODUCTION else ""
        on = f"--stack {self.environment.stack}{named}"
        modify = f"aws rds modify-db-instance --region {region} --db-instance-identifier {name}"
        yield f"./dr deploy -- network {on}"
        yield (
            f"the master user {self.instance['MasterUsername']} and its password in "
            f"{secret_id_in(self.secret_id, region)} of both regions: projects/data/README.md"
        )
        yield f"./dr deploy -- data {on} : imports {name}; its preview must show no other step for it"
        yield (
            f"{modify} --vpc-security-group-ids {' '.join(self.placed.groups)} SG : SG is "
            f"{self.site}DatabaseSecurityGroupId of ./dr outputs -- {on}; the old groups stay for now"
        )
        if self.parameters:
            yield from self._parameter_steps(region)
        yield (
            f"add iamDatabaseAuthenticationEnabled to takenOver in the data layer's file: ./dr deploy -- data {on} : "
            "it waits for the maintenance window unless applyImmediately is named too, and set"
        )
        yield "./dr prepare-database -- --sql : run it in database postgres as the master user"
        yield (
            f"take {self.site.other}Birth and backupReplicationRetentionDays out of the data layer's file: ./dr deploy "
            f"-- data {on} : makes the replica"
        )
        yield f"./dr groups -- {on} : leaves {name} in the layer's own group alone, once its clients are admitted there"
        yield f"./dr deploy -- dr-automation observability {on}"
        yield "./dr status : says whether the database is protected"
        yield "clients: docs/connecting.md; what else is to be taken over: one argument at a time in takenOver"

    def _parameter_steps(self, region: str) -> Iterator[str]:
        if self.group.startswith("default."):
            yield (
                f"{self.group} cannot be edited: add parameterGroupName to takenOver in the data layer's file, ./dr "
                "deploy -- data, and when it suits you aws rds reboot-db-instance: nothing of it is applied before. "
                f"Then {FORCE_TLS} refuses clients without TLS: see in pg_stat_ssl that there are none"
            )
            return
        if self.sharing:
            yield (
                f"{self.group} is also that of {', '.join(self.sharing)}, and what is set in it is set for them too: "
                f"give {self.instance['DBInstanceIdentifier']} a copy of its own (aws rds copy-db-parameter-group, "
                "modify, and a restart when it suits you), then run this again"
            )
            return
        first = [each for each in self.parameters if each.name != FORCE_TLS]
        modify = (
            f"aws rds modify-db-parameter-group --region {region} --db-parameter-group-name {self.group} --parameters"
        )
        if first:
            yield f"{modify} {' '.join(map(_as_argument, first))} : immediate ones need no restart"
        for each in self.parameters:
            if each.name == FORCE_TLS:
                yield f"{modify} {_as_argument(each)} : when pg_stat_ssl shows no client without TLS any more"


def _as_argument(parameter: Any) -> str:
    return f"ParameterName={parameter.name},ParameterValue={parameter.value},ApplyMethod={parameter.apply_method}"


def _as_yaml(name: str, settings: Mapping[str, object]) -> list[str]:
    """Lines as Pulumi writes them: numbers and switches are text."""
    project = layer(name).project
    return [
        f"{project}:{key}: {json.dumps(value) if isinstance(value, list) else json.dumps(_text(value))}"
        for key, value in settings.items()
    ]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
