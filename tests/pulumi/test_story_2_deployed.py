"""The story's middle: everything is deployed, once with an interruption; then it is changed, and mistakes are refused.

Each test finds what those before it left behind; see conftest.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.contracts import CONTRACTS
from shared.layers import LAYERS
from shared.sites import Site
from tests.pulumi.terminal import interrupted
from tests.pulumi.workplace import Workplace

pytestmark = pytest.mark.timeout(600)
UPWARDS = [known.name for known in LAYERS]
GO_ON = re.compile(r"^  go on with: \./dr deploy -- (.+) --stack lab --yes --skip-preview$", re.MULTILINE)
COMMANDS = [("deploy", "--yes"), ("preview",), ("destroy", "--yes"), ("refresh", "--yes"), ("drift",), ("outputs",)]
LAG_ALARM = "replication-lag"
# What put_metric_alarm takes of what describe_alarms gives.
ALARM_KEYS = {
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "OKActions",
    "AlarmActions",
    "InsufficientDataActions",
    "MetricName",
    "Namespace",
    "Statistic",
    "Dimensions",
    "Period",
    "Unit",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "ComparisonOperator",
    "TreatMissingData",
}


def test_an_interrupted_deploy_keeps_what_it_made_and_the_command_it_prints_deploys_the_rest(
    workplace: Workplace,
) -> None:
    # The terminal's Ctrl-C, while the data layer makes its database.
    stopped = interrupted(
        workplace,
        ["deploy", "--yes", "--skip-preview", "--stack", "lab"],
        after=["deploy 2/4: data", "aws:rds:Instance database-primary-lab creating"],
    )
    assert stopped.exit_code == 1, str(stopped)
    assert "  done:      network\n" in stopped.err
    assert "  not done:  data, dr-automation, observability\n" in stopped.err
    assert set(workplace.stacks()) == {"network", "data"}
    made = {one["DBInstanceIdentifier"] for one in _databases(workplace)}
    assert made <= {urn.rpartition("::")[2] for urn in workplace.resources("data")}
    (printed,) = GO_ON.findall(stopped.err)
    told = workplace.dr("deploy", *printed.split(), "--yes", "--skip-preview").told
    assert list(told) == ["data", "dr-automation", "observability"]
    outputs = json.loads(workplace.checkout.flat_outputs.read_text())
    assert outputs["stackName"] == "lab"
    assert {name: contract.missing_from(outputs) for name, contract in CONTRACTS.items()} == dict.fromkeys(
        CONTRACTS, ()
    )


def test_another_deploy_changes_nothing_and_none_wrote_into_the_stack_files(
    workplace: Workplace, stack_files: Mapping[str, bytes]
) -> None:
    told = workplace.dr("deploy", "--yes", "--skip-preview").told
    assert list(told) == UPWARDS
    assert [line for line in told.values() if not re.fullmatch(r"0 changes, \d+ unchanged", line)] == []
    assert workplace.checkout.contents() == stack_files
    assert not any(b"encryptionsalt" in content for content in stack_files.values())


def test_drift_is_found_in_every_layer_that_has_it_and_changes_no_state(workplace: Workplace) -> None:
    rds = workplace.client("rds", workplace.environment.regions[Site.PRIMARY])
    rds.modify_db_instance(
        DBInstanceIdentifier=workplace.database(Site.PRIMARY)["DBInstanceIdentifier"],
        BackupRetentionPeriod=9,
        ApplyImmediately=True,
    )
    _set_lag_threshold(workplace, 3600)
    before = workplace.states()
    ended = workplace.dr("drift", exit_code=3)
    assert ended.told["data"] == ended.told["observability"] == "DIFFERS from its state, see above"
    assert ended.told["network"].startswith("0 changes")
    assert ended.told["dr-automation"].startswith("0 changes")
    (line,) = [line for line in ended.errors if line.startswith("drift in ")]
    assert line.startswith("drift in data, observability: ")
    assert "./dr deploy -- data observability --stack lab --refresh puts back what the programs say" in line
    assert workplace.states() == before
    assert workplace.database(Site.PRIMARY)["BackupRetentionPeriod"] == 9


def test_refresh_takes_it_into_the_state(workplace: Workplace) -> None:
    told = workplace.dr("refresh", "observability", "--yes", "--skip-preview").told
    assert told["observability"].startswith("1 updated, ")
    assert _lag_alarm(workplace)["Threshold"] == 3600


def test_the_deploy_that_drift_names_puts_it_right(workplace: Workplace) -> None:
    told = workplace.dr("deploy", "data", "observability", "--refresh", "--yes", "--skip-preview").told
    assert [line.partition(",")[0] for line in told.values()] == ["1 updated", "1 updated"]
    assert _lag_alarm(workplace)["Threshold"] == 60
    assert workplace.database(Site.PRIMARY)["BackupRetentionPeriod"] == 7


def test_there_is_no_drift_then(workplace: Workplace) -> None:
    told = workplace.dr("drift", "observability").told
    assert re.fullmatch(r"0 changes, \d+ unchanged", told["observability"])


def test_with_another_suffix_no_command_goes_on_and_bare_pulumi_neither(workplace: Workplace) -> None:
    before = workplace.all_resources()
    with workplace.edited(workplace.checkout.environment_file("lab")):
        workplace.checkout.set_environment("lab", environmentSuffix="other")
        for command, *options in COMMANDS:
            (line,) = workplace.dr(command, *options, exit_code=2).errors
            assert line.startswith("error: environmentSuffix = other: stack lab is deployed with lab"), command
        with ThreadPoolExecutor() as pool:
            previews = pool.map(lambda name: workplace.pulumi(name, "preview", "--stack", "lab"), ("network", "data"))
        for ended in previews:
            assert ended.exit_code != 0
            assert "environmentSuffix = other: stack lab is deployed with lab" in ended.out
            assert "delete" not in ended.out
            assert "replace" not in ended.out.replace("would replace everything", "")
    assert workplace.all_resources() == before


def test_the_ground_under_a_layer_is_not_destroyed(workplace: Workplace) -> None:
    before = workplace.all_resources()
    (line,) = workplace.dr("destroy", "network", "--yes", exit_code=2).errors
    assert line.startswith("error: layer = network: data stands on it, with ")
    assert workplace.all_resources() == before


def _databases(workplace: Workplace) -> list[dict[str, str]]:
    regions = workplace.environment.regions.values()
    return [one for at in regions for one in workplace.client("rds", at).describe_db_instances()["DBInstances"]]


def _lag_alarm(workplace: Workplace) -> dict[str, object]:
    cloudwatch = workplace.client("cloudwatch", workplace.environment.regions[Site.RECOVERY])
    name = workplace.environment.names.of(LAG_ALARM, Site.RECOVERY)
    alarm: dict[str, object] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    return alarm


def _set_lag_threshold(workplace: Workplace, seconds: int) -> None:
    """What somebody does who is in a hurry, in the console."""
    alarm = {key: value for key, value in _lag_alarm(workplace).items() if key in ALARM_KEYS}
    cloudwatch = workplace.client("cloudwatch", workplace.environment.regions[Site.RECOVERY])
    cloudwatch.put_metric_alarm(**alarm, Threshold=seconds)
