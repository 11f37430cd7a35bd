"""Requests count as encrypted in transit, as with AWS's HTTPS endpoints.

The gateway speaks plain HTTP on the loopback interface, so that clients need no certificate. Policies that require TLS
(``aws:SecureTransport``) would refuse every request.
"""

from __future__ import annotations


def install() -> None:
    """Make MiniStack treat every request as one over TLS."""
    from ministack import app  # type: ignore[import-untyped]
    from ministack.core import iam_evaluator  # type: ignore[import-untyped]

    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:  # noqa: FBT001 - its own signature
        iam_evaluator.pin_request_origin(source_ip, secure_transport=True)

    app.pin_request_origin = pin_request_origin
