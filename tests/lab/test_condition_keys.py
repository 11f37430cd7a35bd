"""Policies see the namespace of PutMetricData, whichever protocol the caller speaks."""

from __future__ import annotations

import json

import cbor2
import pytest

from lab.aws.host.condition_keys import namespace_of

REQUEST = {"Namespace": "PostgresDR/lab", "MetricData": []}


@pytest.mark.parametrize(
    ("body", "params"),
    [
        (json.dumps(REQUEST).encode(), {}),
        (cbor2.dumps(REQUEST), {}),
        (b"Action=PutMetricData&Namespace=PostgresDR%2Flab", {"Namespace": ["PostgresDR/lab"]}),
    ],
    ids=["json", "cbor", "query"],
)
def test_the_namespace_is_read(body: bytes, params: dict[str, list[str]]) -> None:
    assert namespace_of(body, params) == "PostgresDR/lab"


def test_a_request_without_a_namespace_matches_no_policy() -> None:
    assert namespace_of(b"{}", {}) == ""
