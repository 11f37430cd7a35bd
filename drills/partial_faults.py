"""Faults after which the writer still lives, or RDS only says so: nobody gets in, nothing is committed, it is busy.

Each is an `Act`, as those of `drills.faults`. The server's faults need a lab whose servers can be broken so; a lab with
small disks is asked for by the scenario.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from drills.faults import Act
from drills.stage import Stage
from lab.target import DeployedDatabase

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_rds import RDSClient

DOOR = "blocked-door"
STORAGE_OPTIMIZATION = "storage-optimization"
BACKING_UP = "backing-up"
GROUPS_DEADLINE_SECONDS = 10.0


def block_door(stage: Stage) -> Act:
    """An operator swaps the writer's security groups for one that lets nobody in.

    No connection can be made any more. What is connected stays connected, and replication goes on.
    """
    database = stage.writer_database

    def action() -> None:
        ec2: EC2Client = stage.system.client("ec2", database.region)
        vpc = str(stage.system.outputs[f"{stage.writer}VpcId"])
        group = ec2.create_security_group(GroupName=DOOR, Description="lets nobody in", VpcId=vpc)["GroupId"]
        _swap_groups(stage, database, group)

    return Act(f"an operator swaps the security groups of {database.identifier} for one that lets nobody in", action)


def unblock_door(stage: Stage) -> Act:
    """The operator gives the writer its own security group back."""
    database = stage.writer_database

    def action() -> None:
        _swap_groups(stage, database, str(stage.system.outputs[f"{stage.writer}DatabaseSecurityGroupId"]))
        ec2: EC2Client = stage.system.client("ec2", database.region)
        ec2.delete_security_group(GroupName=DOOR)

    return Act(f"an operator gives {database.identifier} its own security group back", action)


def hang_commits(stage: Stage) -> Act:
    """The writer's storage answers no flush: every commit hangs, logins and reads work, the stream goes on."""
    return Act(f"every commit of the writer in the {stage.writer} site hangs", stage.writer_server.hang_commits)


def release_commits(stage: Stage) -> Act:
    """The writer's storage answers again: the commits that hung take effect."""
    return Act(f"commits of the writer in the {stage.writer} site go on", stage.writer_server.release_commits)


def fill_disk(stage: Stage) -> Act:
    """The writer's disk is full. RDS says `storage-full`."""
    return Act(f"the disk of the writer in the {stage.writer} site is full", stage.writer_server.fill_disk)


def free_disk(stage: Stage) -> Act:
    """There is room on the writer's disk again."""
    return Act(f"there is room on the disk of the writer in the {stage.writer} site", stage.writer_server.free_disk)


def optimize_replica(stage: Stage, seconds: float) -> Act:
    """RDS optimizes the replica's storage for so long: it works, and is neither promoted nor rebooted."""
    return _in_status(stage, stage.replica_database, STORAGE_OPTIMIZATION, seconds)


def back_up_writer(stage: Stage, seconds: float) -> Act:
    """RDS backs the writer up for so long, and says so also where its server crashes meanwhile."""
    return _in_status(stage, stage.writer_database, BACKING_UP, seconds)


def _in_status(stage: Stage, database: DeployedDatabase, status: str, seconds: float) -> Act:
    def action() -> None:
        stage.system.set_status(database.region, database.identifier, status, seconds)

    return Act(f"RDS says {status} of {database.identifier} for {seconds:g} s", action)


def _swap_groups(stage: Stage, database: DeployedDatabase, group: str) -> None:
    rds: RDSClient = stage.system.client("rds", database.region)
    rds.modify_db_instance(DBInstanceIdentifier=database.identifier, VpcSecurityGroupIds=[group])

    def swapped() -> bool:
        found = rds.describe_db_instances(DBInstanceIdentifier=database.identifier)["DBInstances"][0]
        groups = [each["VpcSecurityGroupId"] for each in found["VpcSecurityGroups"]]
        return groups == [group] and found["DBInstanceStatus"] != "modifying"

    stage.require("RDS to swap the security groups", swapped, GROUPS_DEADLINE_SECONDS)
