"""The strings of docs/connecting.md are what the deployment prints, and its settings fit them."""

from __future__ import annotations

import ast
import re

import pytest

from automation_layer.connection_uri import CONNECT_TIMEOUT_SECONDS, WriterAddresses
from shared.layers import REPOSITORY_ROOT

DOCUMENT = (REPOSITORY_ROOT / "docs" / "connecting.md").read_text(encoding="utf-8")
BY_ADDRESSES = WriterAddresses(("b.ap-southeast-1.example", "a.ap-southeast-2.example"), 5432, "app", "verify-full")
# RDS's certificates name the addresses only.
BY_NAME = WriterAddresses(("writer.app.internal",), 5432, "app", "verify-ca")


def jdbc(key: str) -> int:
    found = re.search(rf"\b{key}=(\d+)", BY_ADDRESSES.jdbc_url)
    assert found is not None
    return int(found[1])


def test_its_strings_are_those_that_the_deployment_makes() -> None:
    made = {string for given in (BY_ADDRESSES, BY_NAME) for string in (given.uri, given.libpq_uri, given.jdbc_url)}
    assert set(re.findall(r"`((?:jdbc:)?postgresql://[^`]*)`", DOCUMENT)) == made


def test_its_hosts_are_in_the_order_of_the_output() -> None:
    assert f"| `writerHosts` | {', '.join(f'`{host}`' for host in BY_ADDRESSES.hosts)} |" in DOCUMENT


def test_its_code_gives_a_host_as_long_as_the_strings_do() -> None:
    seconds = CONNECT_TIMEOUT_SECONDS
    for setting in (
        f'"timeout": {seconds}, "command_timeout"',
        f"connectionTimeoutMillis: {seconds}000",
        f".connect_timeout(Duration::from_secs({seconds}))",
        f"server_connect_timeout = {seconds}",
    ):
        assert setting in DOCUMENT


def test_what_it_says_of_socket_timeout_is_twice_the_setting() -> None:
    assert f"up to {2 * jdbc('socketTimeout')} s." in DOCUMENT


def test_a_caller_of_hikaricp_waits_as_long_as_a_login_may_take() -> None:
    found = re.search(r"setConnectionTimeout\(([\d_]+)\)", DOCUMENT)
    assert found is not None
    assert int(found[1]) >= 1000 * jdbc("loginTimeout")


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL))
def test_its_python_is_python(code: str) -> None:
    ast.parse(code)


def test_each_driver_of_its_table_has_a_section() -> None:
    titles = re.findall(r"^## (.+)$", DOCUMENT, re.MULTILINE)
    table = DOCUMENT.partition("\n## ")[0]
    assert set(re.findall(r"\(#([^)]+)\)", table)) <= {title.lower().replace(" ", "-") for title in titles}
