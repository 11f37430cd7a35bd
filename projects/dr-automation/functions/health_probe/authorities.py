"""The certificate authorities of RDS, which sign the certificates of its instances: who else gets a token can log in.

``rds_authorities.pem`` holds the root certificates of AWS's bundle, three for each region (``rds-ca-rsa2048-g1``,
``rds-ca-rsa4096-g1``, ``rds-ca-ecc384-g1``); no public authority signs for RDS. The earliest runs out in 2061.
To renew it, or for a region that it lacks, download AWS's file in its place:
https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem, as described in
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html. A test checks what it holds.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("rds_authorities.pem")


@cache
def trusting_rds() -> ssl.SSLContext:
    """TLS with servers whose certificate is from RDS and of the name that is asked for; made once a process.

    It trusts nobody else: neither what the machine trusts, nor the public authorities.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(FILE)
    return context


def has_authority(region: str) -> bool:
    """Whether a certificate of an instance in that region can be verified at all."""
    return any(name.startswith(f"Amazon RDS {region} ") for name in _names())


def _names() -> Iterator[str]:
    """The common names of the authorities."""
    for each in trusting_rds().get_ca_certs():
        # A sequence of relative names, each of them pairs; typeshed says less.
        subject: Any = each["subject"]
        yield from (value for pairs in subject for key, value in pairs if key == "commonName")
