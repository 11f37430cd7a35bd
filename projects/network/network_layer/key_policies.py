"""Who may use the keys: exactly the services that need them, on behalf of this account. Pure.

The statement that most key policies begin with (``kms:*`` for the account) lets any administrator of the account
decrypt. Here the account administers the keys, and uses them only through the
named services (``kms:ViaService``), as far as IAM policies of the caller allow that too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.key_policies import USE, account_administers
from shared.policy_documents import Condition, Statement, account, allow, as_json

# Of a key with replicas in other regions.
REPLICATION = ("kms:ReplicateKey", "kms:UpdatePrimaryRegion")
GRANTS = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
PUBLISH_ENCRYPTED = ("kms:Decrypt", "kms:GenerateDataKey*")


def data_key_policy(account_id: str, region: str, regions: Iterable[str]) -> str:
    """The policy of a data key, as JSON.

    RDS uses it for storage, snapshots, exports and Performance Insights; S3 for the backup bucket and its replication;
    DynamoDB for the state table.

    Args:
        account_id: the account.
        region: the key's region.
        regions: the regions of all sites: a copy across regions makes RDS of the other region ask as well.
    """
    databases = [f"rds.{each}.amazonaws.com" for each in regions]
    services = [*databases, f"s3.{region}.amazonaws.com", f"dynamodb.{region}.amazonaws.com"]
    # S3 asks for each object; RDS and DynamoDB work on their own later, which needs a grant.
    with_grants = [*databases, f"dynamodb.{region}.amazonaws.com"]
    return as_json(
        account_administers(account_id, *REPLICATION),
        _use_through_services(account_id, services),
        _grants_through_services(account_id, with_grants),
    )


def messages_key_policy(account_id: str, region: str, suffix: str) -> str:
    """The policy of a messages and logs key, as JSON.

    A topic with a customer key silently drops what a service sends when the key's policy does not name that service:
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html

    Args:
        account_id: the account.
        region: the key's region.
        suffix: the environment's suffix; log groups of other environments cannot be encrypted with this key.
    """
    log_groups = f"arn:aws:logs:{region}:{account_id}:log-group:*-{suffix}"
    return as_json(
        account_administers(account_id, *REPLICATION),
        _use_through_services(account_id, [f"sns.{region}.amazonaws.com"]),
        _service(
            "AlarmsPublish",
            "cloudwatch.amazonaws.com",
            PUBLISH_ENCRYPTED,
            {"StringEquals": {"aws:SourceAccount": account_id}},
        ),
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        _service(
            "LogGroupsOfThisEnvironment",
            f"logs.{region}.amazonaws.com",
            USE,
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": [log_groups, f"{log_groups}/*"]}},
        ),
    )


def _use_through_services(account_id: str, services: Sequence[str]) -> Statement:
    condition = {"StringEquals": {"kms:ViaService": list(services)}}
    return allow("AccountUsesThroughServices", USE, "*", condition, to=account(account_id))


def _grants_through_services(account_id: str, services: Sequence[str]) -> Statement:
    condition = {
        "StringEquals": {"kms:ViaService": list(services)},
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }
    return allow("ServicesGetGrants", GRANTS, "*", condition, to=account(account_id))


def _service(sid: str, principal: str, actions: Sequence[str], condition: Condition | None = None) -> Statement:
    return allow(sid, actions, "*", condition, to={"Service": principal})
