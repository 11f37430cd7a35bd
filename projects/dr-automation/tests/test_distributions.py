"""An archive takes those installed distributions that its function imports, and what these require."""

from __future__ import annotations

import pytest

from automation_layer import distributions
from automation_layer.artifact import LOCK_FILE
from automation_layer.distributions import files_of, locked_versions
from automation_layer.imports import Import
from shared.errors import SettingsError

VERSIONS = locked_versions(LOCK_FILE)


def importing(module: str) -> Import:
    return Import(module, f"import {module}", "one/handler.py:1")


def taken(module: str) -> set[str]:
    return {path.partition("/")[0] for path in files_of([importing(module)], VERSIONS) if ".dist-info/" not in path}


def test_only_what_is_imported_and_what_that_requires_is_taken() -> None:
    assert taken("jmespath.functions") == {"jmespath"}
    assert taken("aws_lambda_powertools") == {"aws_lambda_powertools", "jmespath", "typing_extensions.py"}
    assert taken("pg8000.native") == {"asn1crypto", "dateutil", "pg8000", "scramp", "six.py"}


def test_what_lambdas_runtime_brings_is_not_taken() -> None:
    assert files_of([importing("boto3"), importing("botocore.config")], VERSIONS) == {}


def test_a_module_from_nowhere_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^one/handler\.py:1 = import requests\.auth: requests\.auth is neither"):
        taken("requests.auth")


def test_a_requirement_that_an_archive_may_not_hold_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {module: name for module, name in distributions.DISTRIBUTIONS.items() if name != "jmespath"}
    monkeypatch.setattr(distributions, "DISTRIBUTIONS", known)
    with pytest.raises(SettingsError, match=r"^aws-lambda-powertools = jmespath.*add it to DISTRIBUTIONS"):
        taken("aws_lambda_powertools")


def test_a_distribution_that_the_lock_does_not_name_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^jmespath = .*install the locked requirements"):
        files_of([importing("jmespath")], {})
