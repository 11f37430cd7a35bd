"""Requests count as encrypted in transit: the gateway stands for AWS's HTTPS endpoints.

It listens on the loopback interface only and speaks plain HTTP, so that no client needs a certificate of ours. Policies
that refuse requests without TLS (``aws:SecureTransport``) would otherwise refuse every one.
"""

from __future__ import annotations


def install() -> None:
    """Make MiniStack take every request for one that came over TLS."""
    from ministack import app  # type: ignore[import-untyped]
    from ministack.core import iam_evaluator  # type: ignore[import-untyped]

    def pin_request_origin(source_ip: str, secure_transport: bool) -> None:  # noqa: FBT001 - its own signature
        iam_evaluator.pin_request_origin(source_ip, secure_transport=True)

    app.pin_request_origin = pin_request_origin
