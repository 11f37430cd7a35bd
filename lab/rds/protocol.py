"""The RDS Query protocol: moto's parsers and serialisers."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from moto.core.request import Request
from moto.core.responses import ActionResult, EmptyResult, PaginatedResult
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.rds.exceptions import RDSClientError
from moto.rds.models import rds_backends
from moto.rds.responses import RDSResponse
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

from lab.aws import ACCOUNT_ID
from lab.rds.region import RegionalRds

SECRET_HEADER = "X-Lab-Secret"  # noqa: S105 - a name
"""The header in which the gateway sends a secret that only it and RDS know."""

TAGS_PATH = "/_lab/snapshot-tags"

# moto's models look each other up in one registry of the process, in which the lab whose request is answered is put.
_MOTOS_REGISTRY = threading.Lock()

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[a-z0-9-]+)/rds/aws4_request")
_ACTION = re.compile(r"[A-Za-z]+")


class RdsEndpoint:
    """Answers the RDS API for every region of the lab (a WSGI application).

    The gateway has authenticated and authorized each request, which it shows with a secret.
    """

    def __init__(self, regions: Mapping[str, RegionalRds], secret: str, lock: threading.RLock) -> None:
        """Serve these regions.

        Args:
            regions: RDS in each region.
            secret: what the gateway sends in `SECRET_HEADER`.
            lock: held while the regions' state is read or changed.
        """
        self._regions = regions
        self._secret = secret
        self._lock = lock

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        return self._answer(HttpRequest(environ))(environ, start_response)

    def _answer(self, http: HttpRequest) -> HttpResponse:
        if not secrets.compare_digest(http.headers.get(SECRET_HEADER, ""), self._secret):
            return _error(403, "AccessDenied", "This endpoint answers the lab's gateway only.")
        if http.path == TAGS_PATH:
            return self._snapshot_tags(http.args.get("region", ""), http.args.get("snapshot", ""))
        scope = _SCOPE.search(http.headers.get("Authorization", ""))
        if scope is None:
            return _error(403, "MissingAuthenticationToken", "The request has no signature for RDS.")
        regional = self._regions.get(scope["region"])
        if regional is None:
            return _error(400, "InvalidParameterValue", f"The lab's RDS has no region {scope['region']}.")
        request = Request.from_primitives(http.method, http.url, http.headers, http.get_data())
        response = LabRdsResponse(regional)
        with _MOTOS_REGISTRY, self._lock:
            rds_backends[ACCOUNT_ID].update(self._regions)
            response.setup_class(request)
            action = str(response._get_action())
            if not response.knows(action):
                return _error(400, "InvalidAction", f"The lab's RDS does not know the action {action}.")
            status, headers, body = response.call_action()
        return HttpResponse(body, status=status, headers=dict(headers), content_type="text/xml")

    def _snapshot_tags(self, region: str, snapshot: str) -> HttpResponse:
        """The tags of a snapshot, for the gateway's decision."""
        with self._lock:
            regional = self._regions.get(region)
            found = None if regional is None else regional.database_snapshots.get(snapshot)
            tags = {} if found is None else {tag["Key"]: tag["Value"] for tag in found.tags}
        return HttpResponse(json.dumps(tags), content_type="application/json")


class LabRdsResponse(RDSResponse):
    """One request, in the region that it was signed for, with the actions that moto lacks."""

    def __init__(self, regional: RegionalRds) -> None:
        super().__init__()
        self._regional = regional

    @property
    def backend(self) -> RegionalRds:
        """The region that the request was signed for."""
        return self._regional

    def knows(self, action: str) -> bool:
        """Whether an action can be answered."""
        return bool(_ACTION.fullmatch(action)) and camelcase_to_underscores(action) in method_names_from_class(
            type(self)
        )

    def get_region_from_url(self, request: Any, full_url: str) -> str:
        """The region that the request was signed for; moto would take it from the user agent."""
        return str(self._regional.region_name)

    def get_current_account(self) -> str:
        """The lab's one account."""
        return ACCOUNT_ID

    def create_db_subnet_group(self) -> ActionResult:
        """CreateDBSubnetGroup, with the account's own subnets."""
        group = self.backend.create_subnet_group(
            self.params.get("DBSubnetGroupName"),
            self.params.get("DBSubnetGroupDescription"),
            self.backend.subnets(self.params.get("SubnetIds", [])),
            self.params.get("Tags", []),
        )
        return ActionResult({"DBSubnetGroup": group})

    def modify_db_subnet_group(self) -> ActionResult:
        """ModifyDBSubnetGroup, with the account's own subnets."""
        group = self.backend.modify_db_subnet_group(
            self.params.get("DBSubnetGroupName"),
            self.params.get("DBSubnetGroupDescription"),
            self.backend.subnets(self.params.get("SubnetIds", [])),
        )
        return ActionResult({"DBSubnetGroup": group})

    def describe_db_parameters(self) -> ActionResult:
        """DescribeDBParameters: what was set, with the source `user` as on AWS."""
        source = self.params.get("Source")
        group = self.backend.describe_db_parameter_groups(
            {"db_parameter_group_name": self.params.get("DBParameterGroupName")}
        )[0]
        parameters = [
            {"Source": "user", "IsModifiable": True, "ApplyType": _apply_type(parameter), **parameter}
            for parameter in group.parameters.values()
        ]
        return ActionResult({"Parameters": parameters if source in (None, "user") else []})

    def reset_db_parameter_group(self) -> ActionResult:
        """ResetDBParameterGroup, which moto lacks."""
        parameters = [parameter.original_dict() for parameter in self.params.get("Parameters", [])]
        everything = bool(self.params.get("ResetAllParameters", not parameters))
        group = self.backend.reset_db_parameter_group(
            self.params["DBParameterGroupName"], everything=everything, parameters=parameters
        )
        return ActionResult({"DBParameterGroupName": group.name})

    def delete_db_parameter_group(self) -> ActionResult:
        """DeleteDBParameterGroup, whose answer is empty."""
        self.backend.delete_db_parameter_group(self.params["DBParameterGroupName"])
        return EmptyResult()

    def delete_db_subnet_group(self) -> ActionResult:
        """DeleteDBSubnetGroup, whose answer is empty."""
        self.backend.delete_subnet_group(self.params.get("DBSubnetGroupName"))
        return EmptyResult()

    def describe_db_engine_versions(self) -> ActionResult:
        """DescribeDBEngineVersions, which moto lacks."""
        versions = self.backend.describe_db_engine_versions(self.params.get("Engine"), self.params.get("EngineVersion"))
        return PaginatedResult({"DBEngineVersions": versions})

    def start_db_instance_automated_backups_replication(self) -> ActionResult:
        """StartDBInstanceAutomatedBackupsReplication, which moto lacks."""
        backup = self.backend.start_backup_replication(self.params["SourceDBInstanceArn"], self.params)
        return ActionResult({"DBInstanceAutomatedBackup": backup.described()})

    def stop_db_instance_automated_backups_replication(self) -> ActionResult:
        """StopDBInstanceAutomatedBackupsReplication, which moto lacks."""
        backup = self.backend.stop_backup_replication(self.params["SourceDBInstanceArn"])
        return ActionResult({"DBInstanceAutomatedBackup": backup.described()})

    def describe_db_instance_automated_backups(self) -> ActionResult:
        """DescribeDBInstanceAutomatedBackups: the region's own, and those replicated to it."""
        asked = {
            key: self.params[key]
            for key in ("DBInstanceAutomatedBackupsArn", "DBInstanceIdentifier", "DbiResourceId")
            if self.params.get(key) is not None
        }
        known = [*self.backend.automated_backups(), *(each.described() for each in self.backend.replicated_backups())]
        found = [each for each in known if all(each.get(key) == value for key, value in asked.items())]
        if not found and "DBInstanceAutomatedBackupsArn" in asked:
            arn = asked["DBInstanceAutomatedBackupsArn"]
            raise RDSClientError("DBInstanceAutomatedBackupNotFound", f"The automated backup {arn} was not found.")
        return ActionResult({"DBInstanceAutomatedBackups": found})


def _apply_type(parameter: Mapping[str, Any]) -> str:
    return "static" if parameter.get("ApplyMethod") == "pending-reboot" else "dynamic"


def _error(status: int, code: str, message: str) -> HttpResponse:
    kind = "Sender" if status < 500 else "Receiver"
    body = (
        '<ErrorResponse xmlns="http://rds.amazonaws.com/doc/2014-10-31/">'
        f"<Error><Type>{kind}</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    )
    return HttpResponse(body, status=status, content_type="text/xml")
