"""Which of the options of a resource the lab's engine knows."""

from __future__ import annotations

from typing import Any

from lab.engine.registration import EngineError

# How long a person is ready to wait says nothing to the lab.
_OPTIONS = {
    "additionalSecretOutputs",
    "aliasURNs",
    "customTimeouts",
    "deleteBeforeReplace",
    "deleteBeforeReplaceDefined",
    "dependencies",
    "ignoreChanges",
    "importId",
    "parent",
    "protect",
    "provider",
    "providers",
    "retainOnDelete",
}
# What is registered, and what the SDK says to engines in other processes.
_NO_OPTIONS = {
    "acceptResources",
    "acceptSecrets",
    "accepts_byte_string",
    "aliasSpecs",
    "custom",
    "name",
    "object",
    "packageRef",
    "parentStackTraceHandle",
    "propertyDependencies",
    "snippetId",
    "sourcePosition",
    "stackTrace",
    "supportsPartialValues",
    "supportsResultReporting",
    "type",
    "version",
}


def refuse_unknown_options(urn: str, request: Any) -> None:
    """Refuse a registration with an option that the lab's engine would not heed.

    Args:
        urn: the resource, for the error.
        request: the protocol's ``RegisterResourceRequest``.

    Raises:
        EngineError: it has one; the text names it.
    """
    for given, value in request.ListFields():
        # A message without content says nothing.
        if given.name not in _OPTIONS | _NO_OPTIONS and (not hasattr(value, "ByteSize") or value.ByteSize()):
            raise EngineError(f"{urn}: the lab's engine does not know the option {given.name}: add it in lab/engine")
