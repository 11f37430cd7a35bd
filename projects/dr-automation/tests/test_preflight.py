"""A deploy that would make a health check anew is refused while the recovery site's database is the writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from automation_layer import preflight
from shared.errors import SettingsError
from shared.sites import Site
from tests.contracts.settings_of import settings_of
from tests.stubbed import Stubbed, stubbed

OLD = {"writerHealthCheckId": "old"}
NEW = {"writerHealthCheckId": "writer", "readerHealthCheckId": "reader"}
CHILDREN = {"writer": ["word"], "reader": ["word", "answers"], "word": [], "answers": []}


@pytest.fixture
def active_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[Site], None]:
    """Where the data layer is configured to be active."""

    def at(site: Site) -> None:
        monkeypatch.setattr(preflight, "active_site", lambda stack: site)

    return at


@pytest.fixture
def route53(monkeypatch: pytest.MonkeyPatch) -> Stubbed:
    stubber = stubbed("route53", "ap-southeast-1")
    monkeypatch.setattr("automation_layer.preflight.boto3.client", lambda *_, **__: stubber.client)
    return stubber


def answer(route53: Stubbed, *identifiers: str) -> None:
    """What Route 53 is asked and answers, in order."""
    for identifier in identifiers:
        config: dict[str, Any] = {"Type": "CALCULATED", "ChildHealthChecks": CHILDREN[identifier]}
        check = {"Id": identifier, "CallerReference": "x", "HealthCheckVersion": 1, "HealthCheckConfig": config}
        route53.add_response("get_health_check", {"HealthCheck": check}, {"HealthCheckId": identifier})


def test_the_repositorys_stacks_are_active_in_the_primary_site() -> None:
    assert {preflight.active_site(stack) for stack in ("dev", "lab")} == {Site.PRIMARY}


@pytest.mark.parametrize("deployed", [{}, OLD, NEW])
def test_while_the_primary_is_the_writer_a_new_check_says_what_is_true(
    active_in: Callable[[Site], None], deployed: Mapping[str, object]
) -> None:
    active_in(Site.PRIMARY)
    preflight.check(settings_of("dr-automation"), deployed)


def test_the_first_deploy_of_the_new_check_is_refused_after_a_failover(active_in: Callable[[Site], None]) -> None:
    active_in(Site.RECOVERY)
    with pytest.raises(SettingsError, match=r"^writerHealthCheckId = old: .*starts healthy.*failover -- --planned"):
        preflight.check(settings_of("dr-automation"), OLD)


def test_an_environment_that_is_new_may_begin_with_roles_swapped(active_in: Callable[[Site], None]) -> None:
    active_in(Site.RECOVERY)
    preflight.check(settings_of("dr-automation"), {})


def test_checks_that_are_there_are_kept(active_in: Callable[[Site], None], route53: Stubbed) -> None:
    active_in(Site.RECOVERY)
    answer(route53, "writer", "word", "reader", "word", "answers")
    preflight.check(settings_of("dr-automation"), NEW)
    route53.assert_no_pending_responses()


@pytest.mark.parametrize("found", [[], ["writer"], ["writer", "word", "reader", "word"]])
def test_one_that_is_gone_from_route_53_is_not_made_anew(
    active_in: Callable[[Site], None], route53: Stubbed, found: list[str]
) -> None:
    active_in(Site.RECOVERY)
    answer(route53, *found)
    route53.add_client_error("get_health_check", "NoSuchHealthCheck")
    with pytest.raises(SettingsError, match="no such health check any more: a deploy makes it anew"):
        preflight.check(settings_of("dr-automation"), NEW)


def test_without_an_answer_of_route_53_nothing_is_deployed(active_in: Callable[[Site], None], route53: Stubbed) -> None:
    active_in(Site.RECOVERY)
    route53.add_client_error("get_health_check", "AccessDenied")
    with pytest.raises(SettingsError, match=r"^AWS = "):
        preflight.check(settings_of("dr-automation"), NEW)
