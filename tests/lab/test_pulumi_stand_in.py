"""Without a Pulumi CLI the deployment commands work on a running lab, by its stand-in, and change what stands there.

One lab for all of it, in the order of the tests: it is up, changed by hand, deployed again, and destroyed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from lab.engine.resources.changes.rds import SOURCE
from lab.lab import Lab
from lab.pulumi_stand_in import BAD_USE, VERSION
from lab.settings import LAB_STACK, LabSettings
from shared.layers import LAYERS, layer
from shared.sites import Site

pytestmark = pytest.mark.timeout(300)
DATA = layer("data")
DRIFTED = 3


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(LabSettings.from_environment(port=0), print, prepared=False) as running:
        yield running


def run(lab: Lab, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = f"{lab.pulumi.folder}{os.pathsep}{os.environ['PATH']}"
    kept = {name: value for name, value in os.environ.items() if name != "PULUMI_BACKEND_URL"}
    return subprocess.run(
        command,
        cwd=folder,
        env={**kept, **lab.aws.environment(), "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def dr(lab: Lab, *words: str, exit_code: int = 0) -> str:
    ended = run(lab, Path.cwd(), sys.executable, "-m", "deployment", *words, "--stack", LAB_STACK)
    assert ended.returncode == exit_code, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def pulumi(lab: Lab, *words: str, folder: Path = DATA.folder) -> subprocess.CompletedProcess[str]:
    return run(lab, folder, "pulumi", *words)


def database(lab: Lab, site: Site) -> dict[str, Any]:
    rds, name = lab.client("rds", lab.regions[site]), lab.outputs[f"{site}DatabaseId"]
    found: dict[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    return found


def test_it_says_that_it_is_a_stand_in_and_refuses_what_it_does_not_know(lab: Lab) -> None:
    assert pulumi(lab, "version").stdout == f"{VERSION}\n"
    assert "stand-in for Pulumi" in pulumi(lab, "whoami", "--json", "--verbose").stdout
    for words, said in (
        (("up", "--stack", "lab", "--yes", "--target=x"), "does not know --target of up"),
        (("console",), "does not know pulumi console"),
        (("up", "--stack", "lab"), "asks nobody"),
    ):
        refused = pulumi(lab, *words)
        assert (refused.returncode, said in refused.stderr) == (BAD_USE, True), refused.stderr
    assert "knows stack lab alone" in pulumi(lab, "stack", "export", "--stack", "dev").stderr
    assert "in the folder of a layer" in pulumi(lab, "stack", "ls", "--json", folder=Path.home()).stderr


# tests/situations has it too, with the CLI.
@pytest.mark.exhaustive
def test_what_was_just_made_needs_no_change_and_has_not_drifted(lab: Lab) -> None:
    assert "53 unchanged" in dr(lab, "preview", "data")
    dr(lab, "drift")
    for each in LAYERS:
        assert set(lab.apply(each)) == {"same"}, each.name


def test_a_database_changed_by_hand_is_drift_and_a_deploy_with_refresh_puts_it_back(lab: Lab) -> None:
    group = database(lab, Site.PRIMARY)["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
    rds = lab.client("rds", lab.regions[Site.PRIMARY])
    name = lab.outputs["primaryDatabaseId"]
    default = lab.client("ec2", lab.regions[Site.PRIMARY]).describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    vpc = database(lab, Site.PRIMARY)["DBSubnetGroup"]["VpcId"]
    (closed,) = (one["GroupId"] for one in default if one["VpcId"] == vpc)
    rds.modify_db_instance(
        DBInstanceIdentifier=name,
        VpcSecurityGroupIds=[closed],
        DBInstanceClass="db.t3.large",
        ApplyImmediately=True,
    )
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=name, WaiterConfig={"Delay": 1})

    told = dr(lab, "drift", "data", exit_code=DRIFTED)

    assert "update Instance database-primary-lab (instanceClass, vpcSecurityGroupIds)" in told
    told = dr(lab, "deploy", "data", "--yes", "--refresh", "--skip-preview")
    assert "update Instance database-primary-lab (instanceClass)" in told
    now = database(lab, Site.PRIMARY)
    assert now["DBInstanceClass"] == "db.t3.medium"
    assert [one["VpcSecurityGroupId"] for one in now["VpcSecurityGroups"]] == [closed], "a fence is not repaired"
    rds.modify_db_instance(DBInstanceIdentifier=name, VpcSecurityGroupIds=[group])


@pytest.mark.exhaustive
def test_a_layer_without_a_stack_is_previewed_aside_and_made_by_a_deploy(lab: Lab) -> None:
    dr(lab, "destroy", "observability", "--yes", "--skip-preview", "--remove")
    assert "there is no stack yet" in dr(lab, "preview", "observability")
    assert "observability" not in lab.engine.states
    dr(lab, "deploy", "observability", "--yes", "--skip-preview")
    assert lab.engine.outputs(layer("observability")).keys() <= lab.outputs.keys()


def test_the_state_knows_of_a_promotion_what_a_refresh_read(lab: Lab) -> None:
    def source_in_state() -> object:
        (source,) = (kept.made.inputs[SOURCE] for kept in lab.engine.kept if SOURCE in kept.made.inputs)
        return source

    assert source_in_state() == lab.outputs["primaryDatabaseArn"]
    lab.client("rds", lab.regions[Site.RECOVERY]).promote_read_replica(
        DBInstanceIdentifier=lab.outputs["recoveryDatabaseId"]
    )
    lab.client("rds", lab.regions[Site.RECOVERY]).get_waiter("db_instance_available").wait(
        DBInstanceIdentifier=lab.outputs["recoveryDatabaseId"], WaiterConfig={"Delay": 1}
    )
    refreshed = pulumi(lab, "refresh", "--stack", "lab", "--yes", "--skip-preview")
    assert refreshed.returncode == 0, refreshed.stderr
    assert source_in_state() == ""
    assert lab.data_layer.instance_id(Site.RECOVERY) == database(lab, Site.RECOVERY)["DbiResourceId"]
    assert pulumi(lab, "up", "--stack", "lab", "--yes", "--skip-preview").returncode == 0
    assert "ReadReplicaSourceDBInstanceIdentifier" not in database(lab, Site.RECOVERY)


def test_a_program_that_fails_reaches_the_person(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.lab.yaml"
    file.write_text((DATA.folder / file.name).read_text() + "  postgres-dr-data:instanceClass: no-class\n")
    failed = pulumi(lab, "up", "--stack", "lab", "--yes", "--config-file", str(file))
    assert failed.returncode != 0
    assert "no-class" in failed.stderr


def test_who_deploys_gets_no_answer_of_a_dark_region_but_what_is_global_answers(lab: Lab) -> None:
    dark = lab.regions[Site.PRIMARY]
    lab.darken(dark)
    try:
        with pytest.raises(ConnectTimeoutError):
            lab.engine.client("rds", dark)
        lab.engine.client("rds", lab.regions[Site.RECOVERY]).describe_db_instances()
        lab.engine.client("iam", dark).list_roles()
    finally:
        lab.lighten(dark)
    lab.engine.client("rds", dark).describe_db_instances()
