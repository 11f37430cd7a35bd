"""What the policies of KMS keys have in common. Pure."""

from __future__ import annotations

from shared.policy_documents import Statement, account, allow

ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListAliases",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


def account_administers(account_id: str, *further_actions: str) -> Statement:
    """The account administers the key and does not use it: no ``kms:*``, which would let administrators decrypt.

    Args:
        account_id: the account.
        further_actions: what else belongs to the administration of this key.
    """
    actions = sorted((*ADMINISTRATION, *further_actions))
    return allow("AccountAdministers", actions, "*", to=account(account_id))
