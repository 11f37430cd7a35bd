"""IAM: trust and descriptions of roles change in place, a policy is written anew."""

from __future__ import annotations

from collections.abc import Mapping

from lab.engine.registration import Values
from lab.engine.resource_table import EVERY_INPUT, Changes, Context
from lab.engine.resources import iam as made
from lab.engine.resources.changes.parts import described, differing, put_again, there
from lab.engine.tags import tag_list


def _update_role(ctx: Context, name: str, old: Values, new: Values) -> Values:
    iam = ctx.client("iam")
    if differing(old, new, "assumeRolePolicy"):
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=new["assumeRolePolicy"])
    if old.get("description") != new.get("description"):
        iam.update_role(RoleName=name, Description=new.get("description", ""))
    return {}


def _tag_role(ctx: Context, name: str, _: Values) -> None:
    ctx.client("iam").tag_role(RoleName=name, Tags=tag_list(ctx.tags))


def _read_role_policy(ctx: Context, _: str, inputs: Values) -> Values:
    ctx.client("iam").get_role_policy(RoleName=inputs["role"], PolicyName=inputs["name"])
    return {}


CHANGES: Mapping[str, Changes] = {
    "aws:iam/role:Role": Changes(
        update=_update_role,
        updates=frozenset({"assumeRolePolicy", "description"}),
        replaces=frozenset({"name"}),
        tag=_tag_role,
        read=described("iam", "get_role", "RoleName"),
    ),
    "aws:iam/rolePolicy:RolePolicy": Changes(
        update=put_again(made._create_role_policy),
        updates=frozenset({"policy"}),
        replaces=frozenset({"name", "role"}),
        read=there(_read_role_policy),
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Changes(replaces=EVERY_INPUT),
}
