"""IAM roles, their inline policies, and the managed ones attached to them."""

from __future__ import annotations

from lab.engine.registration import Created, Values
from lab.engine.resource_table import Context, Made, ResourceType, Types
from lab.engine.resources.api_arguments import absence_is_fine, renamed
from lab.engine.tags import tag_list


def _create_role(context: Context, inputs: Values) -> Created:
    iam = context.client("iam")
    role = iam.create_role(
        **renamed(
            inputs, {"name": "RoleName", "description": "Description", "assumeRolePolicy": "AssumeRolePolicyDocument"}
        ),
        Tags=tag_list(context.tags),
    )["Role"]
    iam.get_waiter("role_exists").wait(RoleName=role["RoleName"])
    return Created(role["RoleName"], {"arn": role["Arn"], "name": role["RoleName"], "uniqueId": role["RoleId"]})


def _delete_role(context: Context, made: Made) -> None:
    with absence_is_fine("NoSuchEntity"):
        context.client("iam").delete_role(RoleName=made.id)


def _create_role_policy(context: Context, inputs: Values) -> Created:
    role, name = str(inputs["role"]), str(inputs["name"])
    context.client("iam").put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=inputs["policy"])
    return Created(f"{role}:{name}")


def _delete_role_policy(context: Context, made: Made) -> None:
    with absence_is_fine("NoSuchEntity"):
        context.client("iam").delete_role_policy(RoleName=made.inputs["role"], PolicyName=made.inputs["name"])


def _attach_policy(context: Context, inputs: Values) -> Created:
    role, policy = str(inputs["role"]), str(inputs["policyArn"])
    context.client("iam").attach_role_policy(RoleName=role, PolicyArn=policy)
    return Created(f"{role}/{policy}")


def _detach_policy(context: Context, made: Made) -> None:
    with absence_is_fine("NoSuchEntity"):
        context.client("iam").detach_role_policy(RoleName=made.inputs["role"], PolicyArn=made.inputs["policyArn"])


TYPES: Types = {
    "aws:iam/role:Role": ResourceType(
        _create_role, _delete_role, frozenset({"assumeRolePolicy", "description", "name", "tags"})
    ),
    "aws:iam/rolePolicy:RolePolicy": ResourceType(
        _create_role_policy, _delete_role_policy, frozenset({"name", "policy", "role"})
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": ResourceType(
        _attach_policy, _detach_policy, frozenset({"policyArn", "role"})
    ),
}
