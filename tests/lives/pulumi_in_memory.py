"""Pulumi, as far as it makes, changes and deletes databases: a state, and what an operation does to it and to RDS.

As the real engine does: creations and changes first, in the order of the program, then deletions; what is protected in
the state is not deleted; for an ignored input the state's value counts. As the AWS provider does: an input of birth
that changes replaces the instance, a source that is taken away promotes it, and an instance is found by its identifier.
What was done before a failure stays done. An operation that is killed while it creates leaves that as pending.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import ClientError

from data_layer.instance import FIXED_AT_BIRTH
from deployment.engine_events import PlannedStep
from function_runtime.clients import AwsError, code_of
from function_runtime.database import ABSENT
from shared.sites import Site
from tests.lives.declared_in_memory import INSTANCE, Resource

SOURCE, GROUPS, PROTECTION = "replicateSourceDb", "vpcSecurityGroupIds", "deletionProtection"
_ASKED = {
    "DBInstanceIdentifier": "identifier",
    "SourceDBInstanceIdentifier": SOURCE,
    "DeletionProtection": PROTECTION,
}


class PulumiFailedError(Exception):
    """The operation has failed; what it had done stays."""


class Cloud(Protocol):
    """Where it works."""

    def rds(self, site: Site) -> Any:
        """RDS's client in a site's region."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass
class Standing:
    """A resource in the state."""

    declared: Resource
    id: str
    inputs: dict[str, Any]

    @property
    def protect(self) -> bool:
        return self.declared.protect


@dataclass
class Stack:
    """The data layer's stack.

    Attributes:
        cloud: where it works.
        standing: its resources, by URN.
        outputs: of its last successful deploy.
        pending: what was being created when it was killed.
    """

    cloud: Cloud
    standing: dict[str, Standing] = field(default_factory=dict)
    outputs: Mapping[str, object] = field(default_factory=dict)
    pending: Resource | None = None

    def instance(self, site: Site) -> Standing | None:
        """The site's instance."""
        return next((each for each in self._instances() if each.declared.site is site), None)

    def preview(self, program: Sequence[Resource]) -> list[PlannedStep]:
        """What `up` would do."""
        steps = []
        for each in program:
            before = self.standing.get(each.urn)
            if before is None:
                steps.append(_step("create", each))
            elif _is_replaced(before.inputs, _effective(before, each)):
                steps += [_step("create-replacement", each), _step("delete-replaced", each)]
            elif before.inputs != _effective(before, each):
                steps.append(_step("update", each))
        return steps + [_step("delete", each.declared) for each in self._undeclared(program)]

    def up(self, program: Sequence[Resource], outputs: Mapping[str, object]) -> None:
        """Make it so.

        Raises:
            PulumiFailedError: not all of it could be done.
        """
        try:
            for each in program:
                before = self.standing.get(each.urn)
                if before is None:
                    self._create(each)
                else:
                    self._change(before, each)
            for gone in self._undeclared(program):
                self._delete(gone)
        except AwsError as error:
            raise PulumiFailedError(str(error)) from error
        self.outputs = outputs

    def refresh(self) -> None:
        """Take what RDS says into the state; what is not there any more, or is another one, goes out of it.

        Raises:
            PulumiFailedError: a region does not answer.
        """
        try:
            for each in list(self._instances()):
                found = self._described(each.declared)
                if found is None or found["DbiResourceId"] != each.id:
                    del self.standing[each.declared.urn]
                    continue
                each.inputs[GROUPS] = [group["VpcSecurityGroupId"] for group in found["VpcSecurityGroups"]]
                each.inputs.pop(SOURCE, None)
                if "ReadReplicaSourceDBInstanceIdentifier" in found:
                    each.inputs[SOURCE] = found["ReadReplicaSourceDBInstanceIdentifier"]
        except AwsError as error:
            raise PulumiFailedError(str(error)) from error

    def adopt(self, program: Sequence[Resource], outputs: Mapping[str, object]) -> None:
        """Take what is there into the state as declared, as a deploy has left it."""
        for each in program:
            self._keep(each, self._id_of(each))
            if each.kind == INSTANCE:
                self.cloud.rds(each.site).modify_db_instance(
                    DBInstanceIdentifier=each.inputs["identifier"], DeletionProtection=each.inputs[PROTECTION]
                )
        self.outputs = outputs

    def take_in(self, program: Sequence[Resource], site: Site) -> None:
        """What `pulumi import` does with a site's instance that is there and not in the state."""
        for each in program:
            if each.kind == INSTANCE and each.site is site and each.urn not in self.standing and self._is_there(each):
                self._keep(each, self._id_of(each))

    def mend(self) -> None:
        """What a person does about a creation that was killed: import it where it is there, or forget it."""
        if self.pending is not None and self._is_there(self.pending):
            self._keep(self.pending, self._id_of(self.pending))
        self.pending = None

    def exported(self) -> Mapping[str, Any]:
        """As `pulumi stack export` shows it."""
        stack = {"type": "pulumi:pulumi:Stack", "urn": "stack", "outputs": dict(self.outputs)}
        resources = [
            {
                "type": each.declared.kind,
                "urn": urn,
                "custom": True,
                "id": each.id,
                "inputs": each.inputs,
                "protect": each.protect,
            }
            for urn, each in self.standing.items()
        ]
        return {"deployment": {"resources": [stack, *resources]}}

    def _instances(self) -> list[Standing]:
        return [each for each in self.standing.values() if each.declared.kind == INSTANCE]

    def _undeclared(self, program: Sequence[Resource]) -> list[Standing]:
        urns = {each.urn for each in program}
        return [each for urn, each in reversed(self.standing.items()) if urn not in urns]

    def _create(self, each: Resource) -> None:
        rds = self.cloud.rds(each.site)
        self.pending = each
        try:
            if each.kind != INSTANCE:
                rds.start_db_instance_automated_backups_replication(
                    SourceDBInstanceArn=each.inputs["sourceDbInstanceArn"]
                )
            else:
                asked = {key: each.inputs[name] for key, name in _ASKED.items() if name in each.inputs}
                (rds.create_db_instance_read_replica if SOURCE in each.inputs else rds.create_db_instance)(**asked)
        except AwsError:
            self.pending = None
            raise
        while each.kind == INSTANCE and self._described(each, there=True)["DBInstanceStatus"] == "creating":
            self.cloud.sleep(5)
        self._keep(each, self._id_of(each))
        self.pending = None

    def _change(self, before: Standing, each: Resource) -> None:
        inputs = _effective(before, each)
        if _is_replaced(before.inputs, inputs):
            self._delete(before)
            self._create(each)
            return
        if before.inputs.get(SOURCE) != inputs.get(SOURCE):
            if SOURCE in inputs:
                raise PulumiFailedError("cannot elect new source database for replication")
            self.cloud.rds(each.site).promote_read_replica(
                DBInstanceIdentifier=inputs["identifier"], BackupRetentionPeriod=7
            )
        if before.inputs.get(GROUPS) != inputs.get(GROUPS):
            self._modify(each, VpcSecurityGroupIds=inputs[GROUPS], ApplyImmediately=True)
        if before.inputs.get(PROTECTION) != inputs.get(PROTECTION):
            self._modify(each, DeletionProtection=inputs[PROTECTION])
        before.declared, before.inputs = each, inputs

    def _delete(self, gone: Standing) -> None:
        if gone.protect:
            raise PulumiFailedError(f"{gone.declared.name} cannot be deleted: it is protected")
        rds, inputs = self.cloud.rds(gone.declared.site), gone.inputs
        if gone.declared.kind != INSTANCE:
            rds.stop_db_instance_automated_backups_replication(SourceDBInstanceArn=inputs["sourceDbInstanceArn"])
        else:
            final = {} if inputs["skipFinalSnapshot"] else {"FinalDBSnapshotIdentifier": f"final-{gone.id}"}
            try:
                rds.delete_db_instance(
                    DBInstanceIdentifier=inputs["identifier"],
                    SkipFinalSnapshot=inputs["skipFinalSnapshot"],
                    DeleteAutomatedBackups=False,
                    **final,
                )
            except ClientError as error:
                if code_of(error) not in ABSENT:
                    raise
        del self.standing[gone.declared.urn]

    def _modify(self, each: Resource, **changes: Any) -> None:
        self.cloud.rds(each.site).modify_db_instance(DBInstanceIdentifier=each.inputs["identifier"], **changes)

    def _keep(self, each: Resource, resource_id: str) -> None:
        self.standing[each.urn] = Standing(each, resource_id, dict(each.inputs))

    def _id_of(self, each: Resource) -> str:
        return str(self._described(each, there=True)["DbiResourceId"]) if each.kind == INSTANCE else each.name

    def _is_there(self, each: Resource) -> bool:
        if each.kind == INSTANCE:
            return self._described(each) is not None
        listed = self.cloud.rds(each.site).describe_db_instance_automated_backups()["DBInstanceAutomatedBackups"]
        return any(backup["DBInstanceArn"] == each.inputs["sourceDbInstanceArn"] for backup in listed)

    def _described(self, each: Resource, *, there: bool = False) -> Any:
        try:
            answer = self.cloud.rds(each.site).describe_db_instances(DBInstanceIdentifier=each.inputs["identifier"])
        except ClientError as error:
            if there or code_of(error) not in ABSENT:
                raise
            return None
        return answer["DBInstances"][0]


def _effective(before: Standing, each: Resource) -> dict[str, Any]:
    kept = {key: value for key, value in before.inputs.items() if key in each.ignored}
    return {**{key: value for key, value in each.inputs.items() if key not in each.ignored}, **kept}


def _is_replaced(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    # A source that comes or goes takes the other arguments of birth along: the provider computes those.
    return any(before.get(key) != now.get(key) for key in FIXED_AT_BIRTH)


def _step(operation: str, each: Resource) -> PlannedStep:
    return PlannedStep(operation, each.kind, str(each.inputs.get("identifier", each.name)), SOURCE in each.inputs)
