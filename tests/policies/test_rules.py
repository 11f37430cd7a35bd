"""What the programs declare keeps to the rules, in every kind of environment and state, and each rule can fail.

These are the rules that the policy pack runs under Pulumi, over what the programs really declare.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lab.engine.recording import RecordedProgram, RecordedResource, run_recorded
from policies import rules
from policies.declared import Declared, Expected, Rule
from policies.rules import RULES
from shared import environment
from shared.environment import Environment
from shared.layers import LAYERS
from shared.naming import DATABASE
from shared.sites import Site
from tests.contracts.settings_of import PRODUCTION

FAILED_OVER = {"activeSite": "recovery"}
RETIRING = {**FAILED_OVER, "retiring": "primary"}
DEPLOYED = {"databaseName": "app"}
ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "development": {},
    "production": PRODUCTION,
    "production after a failover": {**PRODUCTION, **FAILED_OVER},
    "production while the old writer retires": {**PRODUCTION, **RETIRING},
}


def expected_of(settings: dict[str, Any]) -> Expected:
    shared = {key: value for key, value in settings.items() if key in environment.KEYS}
    found = Environment.overridden("dev", shared)
    names = {site.value: found.names.of(DATABASE, site) for site in Site}
    return Expected(found, names[settings.get("activeSite", "primary")], names.get(settings.get("retiring", "none")))


def declared(one: RecordedResource) -> Declared:
    return Declared(one.type, one.name, one.inputs, one.registration.protect, one.region, one.tags)


@pytest.fixture(scope="module")
def programs() -> dict[str, list[Declared]]:
    """By environment, what all four programs declare."""
    found = {}
    for name, settings in ENVIRONMENTS.items():
        done: dict[str, RecordedProgram] = {}
        for layer in LAYERS:
            own = {key: value for key, value in settings.items() if layer.name == "data" or key in environment.KEYS}
            below = {read: done[read].outputs for read in layer.reads}
            if layer.name == "data":
                below["data"] = DEPLOYED
            done[layer.name] = run_recorded(layer.name, own, below, stack="dev")
        found[name] = [declared(one) for program in done.values() for one in program.resources]
    return found


def violations(rule: Rule, resources: list[Declared], settings: dict[str, Any]) -> list[str]:
    expected = expected_of(settings)
    return [f"{one.kind} {one.name}: {line}" for one in resources for line in rule(one, expected)]


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_what_is_declared_keeps_to_the_rule(rule: Rule, name: str, programs: dict[str, list[Declared]]) -> None:
    assert violations(rule, programs[name], ENVIRONMENTS[name]) == []


Change = Callable[[Declared], Declared]


def with_inputs(**changes: Any) -> Change:
    return lambda one: replace(one, inputs={**one.inputs, **changes})


def without_protection(one: Declared) -> Declared:
    return replace(one, protect=False)


OTHER_KEY = "arn:aws:kms:ap-southeast-2:999999999999:key/x"
WRITER, STANDBY = "database-primary-dev", "database-recovery-dev"
BREAKS: list[tuple[Rule, str, str, Change, str]] = [
    (rules.encrypted_with_our_keys, "Instance", WRITER, with_inputs(storageEncrypted=False), "storageEncrypted is not"),
    (rules.encrypted_with_our_keys, "Instance", WRITER, with_inputs(kmsKeyId=OTHER_KEY), "kmsKeyId is no key of ours"),
    (rules.encrypted_with_our_keys, "Instance", STANDBY, with_inputs(kmsKeyId=None), "kmsKeyId is no key of ours"),
    (rules.encrypted_with_our_keys, "Table", "failover-state", with_inputs(serverSideEncryption={}), "kmsKeyArn is no"),
    (rules.encrypted_with_our_keys, "Topic", "", with_inputs(kmsMasterKeyId="alias/aws/sns"), "kmsMasterKeyId is no"),
    (rules.encrypted_with_our_keys, "LogGroup", "", with_inputs(kmsKeyId=None), "kmsKeyId is no key of ours"),
    (
        rules.encrypted_with_our_keys,
        "BucketServerSideEncryptionConfiguration",
        "backups-primary",
        with_inputs(rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}]),
        "kmsMasterKeyId is no key of ours",
    ),
    (
        rules.has_the_required_tags,
        "Table",
        "",
        lambda one: replace(one, tags={}),
        "tag Environment is missing",
    ),
    (rules.lies_in_a_region_of_ours, "Topic", "", lambda one: replace(one, region="us-east-1"), "it lies in us-east-1"),
    (rules.lies_in_a_region_of_ours, "Topic", "", lambda one: replace(one, region=None), "it lies in None"),
    (rules.is_not_public, "Instance", WRITER, with_inputs(publiclyAccessible=True), "publiclyAccessible is not false"),
    (rules.is_not_public, "Subnet", "", with_inputs(mapPublicIpOnLaunch=True), "mapPublicIpOnLaunch is true"),
    (rules.is_not_public, "SecurityGroupIngressRule", "", with_inputs(cidrIpv4="0.0.0.0/0"), "it names every address"),
    (rules.is_not_public, "SecurityGroupEgressRule", "", with_inputs(cidrIpv6="::/0"), "it names every address"),
    (rules.is_not_public, "BucketPublicAccessBlock", "", with_inputs(blockPublicAcls=False), "public access is off"),
    (
        rules.is_not_public,
        "Vpc",
        "",
        lambda one: replace(one, type="aws:ec2/natGateway:NatGateway"),
        "it leads to the internet",
    ),
    (rules.refuses_to_be_deleted, "Instance", WRITER, without_protection, "protect is off"),
    (rules.refuses_to_be_deleted, "Instance", STANDBY, without_protection, "protect is off"),
    (rules.refuses_to_be_deleted, "Instance", STANDBY, with_inputs(deletionProtection=False), "deletionProtection is"),
    (rules.refuses_to_be_deleted, "Table", "failover-state", without_protection, "protect is off"),
    (
        rules.leaves_a_final_snapshot,
        "Instance",
        WRITER,
        with_inputs(skipFinalSnapshot=True),
        "skipFinalSnapshot is not",
    ),
    (rules.leaves_a_final_snapshot, "Instance", STANDBY, with_inputs(deleteAutomatedBackups=True), "deleteAutomated"),
]


@pytest.mark.parametrize(
    ("rule", "kind", "name", "change", "line"), BREAKS, ids=[f"{rule.__name__}-{kind}" for rule, kind, *_ in BREAKS]
)
def test_the_rule_names_what_is_broken(
    rule: Rule, kind: str, name: str, change: Change, line: str, programs: dict[str, list[Declared]]
) -> None:
    chosen = next(one for one in programs["production"] if one.kind == kind and one.name.startswith(name))
    (found, *_) = rule(change(chosen), expected_of(PRODUCTION))
    assert line in found


def test_each_rule_is_proven_able_to_fail() -> None:
    assert {rule for rule, *_ in BREAKS} == set(RULES)


def test_after_a_failover_the_writer_is_the_other_sites(programs: dict[str, list[Declared]]) -> None:
    promoted = next(
        one for one in programs["production after a failover"] if one.name == STANDBY and one.kind == "Instance"
    )
    forgotten = with_inputs(skipFinalSnapshot=True)(promoted)
    assert rules.leaves_a_final_snapshot(forgotten, expected_of({**PRODUCTION, **FAILED_OVER}))
    assert not rules.leaves_a_final_snapshot(forgotten, expected_of(PRODUCTION))


def test_what_is_not_protected_may_be_deleted_elsewhere_than_in_production(programs: dict[str, list[Declared]]) -> None:
    for rule in (rules.refuses_to_be_deleted, rules.leaves_a_final_snapshot):
        assert violations(rule, programs["development"], {}) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_names_its_source(rule: Rule) -> None:
    assert "https://" in (inspect.getdoc(rule) or "")
