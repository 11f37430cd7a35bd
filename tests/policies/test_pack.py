"""The pack hands each rule what Pulumi hands to a policy, and each violation back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi_policy import EnforcementLevel, PolicyResourceOptions, ResourceValidationArgs
from pulumi_policy.policy import PolicyCustomTimeouts, PolicyProviderResource
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from policies.__main__ import NAME, declared, policy
from policies.declared import Expected
from policies.rules import RULES, encrypted_with_our_keys, lies_in_a_region_of_ours
from shared.layers import REPOSITORY_ROOT

FOLDER = REPOSITORY_ROOT / "policies"
TAGS = {"Environment": "development", "Owner": "us"}


def given(
    inputs: dict[str, Any], region: str = "ap-southeast-2", type_: str = "aws:sns/topic:Topic"
) -> ResourceValidationArgs:
    # The engine hands a provider's nested arguments on as JSON.
    provider = PolicyProviderResource(
        "pulumi:providers:aws", {"region": region, "defaultTags": json.dumps({"tags": TAGS})}, "urn:provider", "aws"
    )
    options = PolicyResourceOptions(True, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    urn = f"urn:pulumi:dev::postgres-dr-network::{type_}::topic"
    return ResourceValidationArgs(type_, unknown_checking_proxy(inputs), urn, "topic", options, provider)


def reported(rule: Any, args: ResourceValidationArgs) -> list[str]:
    lines: list[str] = []

    def report(message: str, _urn: str | None = None) -> None:
        lines.append(message)

    policy(rule).validate(args, report)
    return lines


def test_a_resource_has_its_providers_region_and_tags_under_its_own() -> None:
    seen = declared(given({"tags": {"Name": "topic", "Owner": "them"}}))
    assert (seen.region, seen.protect, seen.kind) == ("ap-southeast-2", True, "Topic")
    assert seen.tags == {"Environment": "development", "Owner": "them", "Name": "topic"}


def test_a_provider_lies_in_its_own_region() -> None:
    def provider_in(region: str) -> ResourceValidationArgs:
        return given({"region": region}, type_="pulumi:providers:aws")

    assert reported(lies_in_a_region_of_ours, provider_in("us-east-1"))
    assert not reported(lies_in_a_region_of_ours, provider_in("ap-southeast-1"))


def test_a_violation_is_reported_with_the_resources_name() -> None:
    assert reported(lies_in_a_region_of_ours, given({}, "us-east-1")) == [
        "topic: it lies in us-east-1, not in ap-southeast-2 or ap-southeast-1 or ap-northeast-1"
    ]
    assert not reported(lies_in_a_region_of_ours, given({}))


def test_what_a_preview_does_not_know_is_left_to_pulumi() -> None:
    with pytest.raises(UnknownValueError):
        reported(encrypted_with_our_keys, given({"kmsMasterKeyId": UNKNOWN_STRING_VALUE}))


def test_what_is_expected_comes_from_the_stacks_files() -> None:
    expected = Expected.of_stack("dev")
    assert (expected.active_database, expected.retiring_database) == ("database-primary-dev", None)


def test_every_rule_stops_an_operation() -> None:
    policies = [policy(rule) for rule in RULES]
    assert {each.enforcement_level for each in policies} == {EnforcementLevel.MANDATORY}
    assert len({each.name for each in policies}) == len(RULES)
    assert all(each.description.endswith(".") for each in policies)
    assert NAME == "postgres-dr"


def test_it_runs_in_the_environment_of_the_programs() -> None:
    runtime = yaml.safe_load((FOLDER / "PulumiPolicy.yaml").read_text())["runtime"]
    programs = yaml.safe_load((REPOSITORY_ROOT / "projects/network/Pulumi.yaml").read_text())["runtime"]
    assert runtime["name"] == programs["name"]
    assert (FOLDER / runtime["options"]["virtualenv"]).resolve() == (
        Path(REPOSITORY_ROOT, "projects/network") / programs["options"]["virtualenv"]
    ).resolve()
