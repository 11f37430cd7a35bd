"""The RDS Query protocol: moto's parsers and serialisers over the lab's books."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from moto.core.request import Request
from moto.core.responses import ActionResult, EmptyResult, PaginatedResult
from moto.core.utils import camelcase_to_underscores, method_names_from_class
from moto.rds.responses import RDSResponse
from werkzeug.wrappers import Request as HttpRequest
from werkzeug.wrappers import Response as HttpResponse

from lab.rds import SECRET_HEADER
from lab.rds.errors import BackupNotFoundError
from lab.rds.region import RegionalRds

_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/(?P<region>[a-z0-9-]+)/rds/aws4_request")
_ACTION = re.compile(r"[A-Za-z]+")


class RdsEndpoint:
    """Answers the RDS API for every region of the lab (a WSGI application).

    Who may do what was decided by the gateway, which shows it with a secret; nobody else is answered.
    """

    def __init__(
        self, regions: Mapping[str, RegionalRds], account_id: str, secret: str, books: threading.RLock
    ) -> None:
        """Take the books.

        Args:
            regions: the books of each region.
            account_id: the account they belong to.
            secret: what the gateway sends along.
            books: the lock under which they are read and written.
        """
        self._regions = regions
        self._account_id = account_id
        self._secret = secret
        self._books = books

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer one request."""
        return self._answer(HttpRequest(environ))(environ, start_response)

    def _answer(self, http: HttpRequest) -> HttpResponse:
        if not secrets.compare_digest(http.headers.get(SECRET_HEADER, ""), self._secret):
            return _error(403, "AccessDenied", "This endpoint answers the lab's gateway only.")
        scope = _SCOPE.search(http.headers.get("Authorization", ""))
        if scope is None:
            return _error(403, "MissingAuthenticationToken", "The request bears no signature for RDS.")
        regional = self._regions.get(scope["region"])
        if regional is None:
            return _error(400, "InvalidParameterValue", f"The lab's RDS has no region {scope['region']}.")
        request = Request.from_primitives(http.method, http.url, http.headers, http.get_data())
        response = LabRdsResponse(regional, self._account_id)
        with self._books:
            response.setup_class(request)
            action = str(response._get_action())
            if not response.knows(action):
                return _error(400, "InvalidAction", f"The lab's RDS does not know the action {action}.")
            status, headers, body = response.call_action()
        return HttpResponse(body, status=status, headers=dict(headers), content_type="text/xml")


class LabRdsResponse(RDSResponse):
    """One request. It differs from moto's in whose books it reads and in the actions moto lacks."""

    def __init__(self, regional: RegionalRds, account_id: str) -> None:
        super().__init__()
        self._regional = regional
        self._account_id = account_id

    @property
    def backend(self) -> RegionalRds:
        """The books of the region the request was signed for."""
        return self._regional

    def knows(self, action: str) -> bool:
        """Whether an action can be answered."""
        return bool(_ACTION.fullmatch(action)) and camelcase_to_underscores(action) in method_names_from_class(
            type(self)
        )

    def get_region_from_url(self, request: Any, full_url: str) -> str:
        """The region the request was signed for; moto would believe the user agent."""
        return str(self._regional.region_name)

    def get_current_account(self) -> str:
        """The lab's one account."""
        return self._account_id

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
        """DescribeDBParameters: what was set, marked as the user's as AWS does."""
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
        """DescribeDBInstanceAutomatedBackups: the region's own as moto has them, and what is replicated into it."""
        asked = {
            key: self.params[key]
            for key in ("DBInstanceAutomatedBackupsArn", "DBInstanceIdentifier", "DbiResourceId")
            if self.params.get(key) is not None
        }
        replicated = [
            described
            for described in (backup.described() for backup in self.backend.replicated_backups())
            if all(described[key] == value for key, value in asked.items())
        ]
        own: list[Any] = []
        # Moto's know their instance's identifier and nothing else to be found by.
        if asked.keys() <= {"DBInstanceIdentifier"}:
            own = self.backend.describe_db_instance_automated_backups(asked.get("DBInstanceIdentifier"))
        if not own and not replicated and "DBInstanceAutomatedBackupsArn" in asked:
            raise BackupNotFoundError(asked["DBInstanceAutomatedBackupsArn"])
        return ActionResult({"DBInstanceAutomatedBackups": [*own, *replicated]})


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
