"""The rules. Each is about one declaration and asks nobody; the policy pack and the tests run the same ones.

They hold what a declaration shows. Which database really takes writes only `./dr` knows: it reads the recorded state.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from policies.declared import Declared, Expected, Rule
from shared.environment import Kind
from shared.tagging import REQUIRED_TAGS

PUBLIC_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
WAYS_OUT = (
    "InternetGateway",
    "InternetGatewayAttachment",
    "EgressOnlyInternetGateway",
    "NatGateway",
    "Eip",
    "EipAssociation",
    "FunctionUrl",
)
# By type, where an argument names the key, as a path.
KEYS = {
    "Instance": ("kmsKeyId", "performanceInsightsKmsKeyId"),
    "InstanceAutomatedBackupsReplication": ("kmsKeyId",),
    "Table": ("serverSideEncryption.kmsKeyArn",),
    "Topic": ("kmsMasterKeyId",),
    "Queue": ("kmsMasterKeyId",),
    "LogGroup": ("kmsKeyId",),
}
SITE_ENCRYPTION = "BucketServerSideEncryptionConfiguration"
PROVIDER = "pulumi:providers:aws"


def encrypted_with_our_keys(one: Declared, expected: Expected) -> list[str]:
    """Databases, backups, tables, topics, queues, logs and buckets use a key of this account and of their region.

    https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-mgmt; a bucket that takes access logs may
    use S3's own keys: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
    """
    if not one.type.startswith("aws:"):
        return []
    ours = f"arn:aws:kms:{one.region}:{expected.environment.account_id}:key/"
    lines = [
        f"{key} is no key of ours" for key in KEYS.get(one.kind, ()) if not _text(one.inputs, key).startswith(ours)
    ]
    if one.kind == "Instance" and one.inputs.get("storageEncrypted") is not True:
        lines.append("storageEncrypted is not true")
    if one.kind == SITE_ENCRYPTION:
        for rule in one.inputs["rules"]:
            default = rule["applyServerSideEncryptionByDefault"]
            if default["sseAlgorithm"] != "AES256" and not _text(default, "kmsMasterKeyId").startswith(ours):
                lines.append("kmsMasterKeyId is no key of ours")
    return lines


def has_the_required_tags(one: Declared, _expected: Expected) -> list[str]:
    """Everything of AWS carries the required tags, which are its provider's default tags.

    https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
    """
    if not one.type.startswith("aws:"):
        return []
    return [f"tag {tag} is missing" for tag in REQUIRED_TAGS if not one.tags.get(tag)]


def lies_in_a_region_of_ours(one: Declared, expected: Expected) -> list[str]:
    """Nothing is made outside the sites' regions and the witness's.

    https://www.pulumi.com/docs/iac/concepts/resources/providers/#disabling-default-providers
    """
    if not one.type.startswith("aws:") and one.type != PROVIDER:
        return []
    environment = expected.environment
    ours = [*environment.regions.values(), *([environment.witness_region] if environment.witness_region else [])]
    return [] if one.region in ours else [f"it lies in {one.region}, not in {' or '.join(ours)}"]


def is_not_public(one: Declared, _expected: Expected) -> list[str]:
    """No way to the internet, and no rule, address or bucket that is everyone's.

    https://docs.aws.amazon.com/vpc/latest/userguide/configure-subnets.html#subnet-types
    """
    if not one.type.startswith("aws:"):
        return []
    ranges = [one.inputs[key] for key in ("cidrIpv4", "cidrIpv6") if one.inputs.get(key)]
    wrong = {
        "it leads to the internet": one.kind in WAYS_OUT,
        "publiclyAccessible is not false": one.kind == "Instance" and one.inputs.get("publiclyAccessible") is not False,
        "mapPublicIpOnLaunch is true": one.inputs.get("mapPublicIpOnLaunch") is True,
        "it names every address": any(ip_network(each).prefixlen == 0 for each in ranges),
        "a block of public access is off": one.kind == "BucketPublicAccessBlock"
        and not all(one.inputs.get(block) is True for block in PUBLIC_BLOCKS),
    }
    return [line for line, is_so in wrong.items() if is_so]


def refuses_to_be_deleted(one: Declared, expected: Expected) -> list[str]:
    """In a protected environment a database that is not being retired, and a state table, refuse to be deleted.

    https://www.pulumi.com/docs/iac/concepts/options/protect/ and
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html#USER_DeleteInstance.DeletionProtection
    """
    switches = {"Instance": "deletionProtection", "Table": "deletionProtectionEnabled"}
    switch = switches.get(one.kind)
    if switch is None or not expected.environment.protected or _is_retiring(one, expected):
        return []
    wrong = {"protect is off": not one.protect, f"{switch} is not true": one.inputs.get(switch) is not True}
    return [line for line, is_so in wrong.items() if is_so]


def leaves_a_final_snapshot(one: Declared, expected: Expected) -> list[str]:
    """In production the writer is not deleted without a last snapshot, and no database with its backups.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html
    """
    if one.kind != "Instance" or expected.environment.kind is not Kind.PRODUCTION:
        return []
    active = one.inputs.get("identifier") == expected.active_database
    wrong = {
        "skipFinalSnapshot is not false": active and one.inputs.get("skipFinalSnapshot") is not False,
        "deleteAutomatedBackups is not false": one.inputs.get("deleteAutomatedBackups") is not False,
    }
    return [line for line, is_so in wrong.items() if is_so]


RULES: tuple[Rule, ...] = (
    encrypted_with_our_keys,
    has_the_required_tags,
    lies_in_a_region_of_ours,
    is_not_public,
    refuses_to_be_deleted,
    leaves_a_final_snapshot,
)


def _is_retiring(one: Declared, expected: Expected) -> bool:
    return one.kind == "Instance" and one.inputs.get("identifier") == expected.retiring_database


def _text(inputs: Mapping[str, Any], path: str) -> str:
    """What is at a path of dots; empty where nothing is."""
    value: Any = inputs
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
