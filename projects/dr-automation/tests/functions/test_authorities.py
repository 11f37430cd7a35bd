"""The probe trusts RDS's authorities in the regions that the environments are in, and nobody else."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import NameOID

from health_probe.authorities import FILE, trusting_rds
from shared.environment import DEFAULT_REGIONS

KINDS = ("RSA2048", "RSA4096", "ECC384")
ROOTS = x509.load_pem_x509_certificates(FILE.read_bytes())


def name_of(certificate: x509.Certificate) -> str:
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def test_each_kind_that_an_instance_can_have_is_there_for_our_regions_and_lasts() -> None:
    # The newest of a kind counts: another that runs out in the meantime harms nobody.
    for region in DEFAULT_REGIONS.values():
        for kind in KINDS:
            named = f"Amazon RDS {region} Root CA {kind}"
            ends = [each.not_valid_after_utc for each in ROOTS if name_of(each).startswith(named)]
            assert max(ends) > datetime.now(UTC) + timedelta(days=5 * 365), f"renew {FILE.name}: {named}"


def test_all_of_them_are_authorities_of_rds_that_signed_themselves() -> None:
    assert ROOTS
    for each in ROOTS:
        assert name_of(each).startswith("Amazon RDS ")
        assert each.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        each.verify_directly_issued_by(each)


def test_the_context_trusts_them_alone_and_checks_the_name() -> None:
    context = trusting_rds()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert len(context.get_ca_certs()) == len(ROOTS)
    assert trusting_rds() is context, "reading the file takes a while: once a process"
