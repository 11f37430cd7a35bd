"""An operation of a service, described so that the gate recognizes its calls; see `lab.aws.host.call_faults`."""

from __future__ import annotations

import re
from typing import Any

from shared.errors import SettingsError

_LABEL = re.compile(r"\{[^}+]+(\+?)\}")


def described_call(client: Any, operation: str | None) -> dict[str, str | None]:
    """The calls of an operation, or of every operation of a service.

    Args:
        client: a boto3 client of the service.
        operation: its name as in the API, such as ``PutItem``; None for every one.

    Returns:
        ``service`` as requests are signed for it, ``operation``, ``protocol``, and ``route``: a regular expression for
        method and path where only these tell the operation, None where the request names it.

    Raises:
        SettingsError: the service has no such operation, or its calls cannot be told from others.
    """
    model = client.meta.service_model
    found = {"service": model.signing_name, "operation": operation, "protocol": model.resolved_protocol, "route": None}
    if operation is None:
        return found
    if operation not in model.operation_names:
        raise SettingsError("operation", operation, f"give one of {model.service_name}'s, or None for all of them")
    if model.service_name == "s3":
        raise SettingsError("operation", operation, "give None: several operations of S3 have the same path")
    if model.resolved_protocol.startswith("rest-"):
        http = model.operation_model(operation).http
        found["route"] = f"{http['method']} {_pattern(http['requestUri'].partition('?')[0])}"
    return found


def _pattern(uri: str) -> str:
    """A regular expression for the paths of a URI with labels, such as ``/functions/{FunctionName}``."""
    pattern, end = "", 0
    for label in _LABEL.finditer(uri):
        pattern += re.escape(uri[end : label.start()]) + (".+" if label[1] else "[^/]+")
        end = label.end()
    return pattern + re.escape(uri[end:])
