"""What a function trusts that connects to a database: the lab's authority where it would trust RDS's."""

from __future__ import annotations

import datetime
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.rds.certificates import CertificateAuthority
from shared.layers import REPOSITORY_ROOT

ADDRESS = "127.0.0.1"
SITE = REPOSITORY_ROOT / "lab" / "aws" / "function_network"

FUNCTION = """
import socket, ssl, sys
port, bundle, host = int(sys.argv[1]), sys.argv[2], sys.argv[3]
context = ssl.create_default_context(cafile=bundle)
context.verify_flags |= ssl.VERIFY_X509_STRICT
try:
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 5), server_hostname=host):
        print("trusted")
except ssl.SSLCertVerificationError as error:
    print(error.verify_message)
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def endpoint(authority: CertificateAuthority) -> Iterator[int]:
    """The port of something with a database's certificate."""
    listening = socket.create_server((ADDRESS, 0))
    context = authority.server_context(ADDRESS)

    def accept() -> None:
        try:
            while True:
                connection, _ = listening.accept()
                with connection:
                    try:
                        context.wrap_socket(connection, server_side=True).close()
                    except (ssl.SSLError, OSError):
                        continue
        except OSError:
            return

    threading.Thread(target=accept, daemon=True).start()
    yield int(listening.getsockname()[1])
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()


def bundle(folder: Path, organizational_unit: str) -> Path:
    """A file with one authority's certificate, whose key nobody has."""
    key = ec.generate_private_key(ec.SECP256R1())
    unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, organizational_unit)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a root"), unit])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{organizational_unit}.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return file


def connected(authority: CertificateAuthority, port: int, trusted: Path, host: str = ADDRESS) -> str:
    """What a function says that connects and trusts this bundle."""
    environment = {**os.environ, "PYTHONPATH": str(SITE), "LAB_DATABASE_AUTHORITY": str(authority.certificate_file)}
    arguments = [sys.executable, "-c", FUNCTION, str(port), str(trusted), host]
    return subprocess.run(
        arguments, env=environment, check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()


def test_who_trusts_rds_trusts_a_database_of_the_lab(
    authority: CertificateAuthority, endpoint: int, tmp_path: Path
) -> None:
    assert connected(authority, endpoint, bundle(tmp_path, "Amazon RDS")) == "trusted"


def test_who_trusts_another_authority_does_not(authority: CertificateAuthority, endpoint: int, tmp_path: Path) -> None:
    assert "unable to get local issuer" in connected(authority, endpoint, bundle(tmp_path, "Another"))


def test_a_certificate_is_good_for_its_own_endpoint_only(
    authority: CertificateAuthority, endpoint: int, tmp_path: Path
) -> None:
    assert "mismatch" in connected(authority, endpoint, bundle(tmp_path, "Amazon RDS"), "127.0.0.2")
