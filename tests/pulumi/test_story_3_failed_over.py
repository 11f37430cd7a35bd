"""The story's turn: a failover moves the writer, and no deployment command brings the old one back.

At its end the environment becomes a protected one for a while.

Each test finds what those before it left behind; see conftest.py.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

import pytest

from shared.sites import Site
from tests.pulumi.terminal import answered_at_a_terminal
from tests.pulumi.workplace import Workplace

pytestmark = pytest.mark.timeout(600)
HEALTHY_SECONDS = 120
PROTECTED = ("data", "dr-automation")
UNCHANGED = re.compile(r"0 changes, \d+ unchanged")


def test_a_planned_failover_moves_the_writer_of_what_was_deployed(workplace: Workplace) -> None:
    deadline = time.monotonic() + HEALTHY_SECONDS
    # Nobody has prepared this database for the probes, which keeps no planned failover from it.
    well = ("healthy", "evidence_weak")
    while (seen := json.loads(workplace.operate("status", "--json").out))["decision"]["code"] not in well:
        assert time.monotonic() < deadline, seen
        time.sleep(1)
    workplace.operate("failover", "--planned", "--yes")
    assert _groups(workplace, Site.PRIMARY) == [_output(workplace, "primaryQuarantineSecurityGroupId")]
    assert "ReadReplicaSourceDBInstanceIdentifier" not in workplace.database(Site.RECOVERY)


def test_a_preview_says_first_that_the_writer_has_moved(workplace: Workplace) -> None:
    ended = workplace.dr("preview", "data")
    assert ended.out.startswith("WARNING: the recovery site is the writer since a failover (epoch 1)")
    assert UNCHANGED.fullmatch(ended.told["data"])


@pytest.mark.parametrize("words", [("deploy",), ("deploy", "data")], ids=" ".join)
def test_what_takes_the_primary_for_the_writer_is_refused(workplace: Workplace, words: tuple[str, ...]) -> None:
    before = workplace.all_resources()
    (line,) = workplace.dr(*words, "--yes", exit_code=2).errors
    assert "the recovery site is the writer since a failover (epoch 1)" in line
    assert workplace.all_resources() == before


def test_what_the_failover_moved_is_no_drift(workplace: Workplace) -> None:
    assert UNCHANGED.fullmatch(workplace.dr("drift", "data").told["data"])


def test_the_automation_alone_is_deployed_as_before_and_one_functions_comment_changes_one_resource(
    workplace: Workplace,
) -> None:
    handler = workplace.checkout.root / "projects" / "dr-automation" / "functions" / "witness" / "handler.py"
    handler.write_text(f"{handler.read_text()}# Said by a test.\n")
    before = workplace.state("dr-automation")
    declined = answered_at_a_terminal(workplace, ["deploy", "dr-automation", "--stack", "lab"], "no")
    assert declined.exit_code == 3, str(declined)
    assert "you said no, and nothing of dr-automation was changed" in declined.out
    assert workplace.state("dr-automation") == before
    told = workplace.dr("deploy", "dr-automation", "--yes").told
    assert re.fullmatch(r"1 updated, \d+ unchanged", told["dr-automation"])


def test_bare_pulumi_leaves_the_old_writer_fenced_and_the_new_one_a_writer(workplace: Workplace) -> None:
    before = _without_what_time_changes(workplace.database(Site.RECOVERY))
    ended = workplace.pulumi("data", "up", "--refresh", "--yes", "--stack", "lab")
    assert ended.exit_code == 0, str(ended)
    assert _groups(workplace, Site.PRIMARY) == [_output(workplace, "primaryQuarantineSecurityGroupId")]
    assert _groups(workplace, Site.RECOVERY) == [_output(workplace, "recoveryDatabaseSecurityGroupId")]
    assert _without_what_time_changes(workplace.database(Site.RECOVERY)) == before


def test_of_a_protected_environment_nothing_is_destroyed_not_even_by_bare_pulumi(workplace: Workplace) -> None:
    # As the refusal says: the data layer follows the writer, and the old one stays.
    workplace.operate("reprotect", "--keep-looking", "--yes")
    with workplace.edited(workplace.checkout.environment_file("lab")):
        workplace.checkout.set_environment("lab", deletionProtection=True)
        workplace.dr("deploy", *PROTECTED, "--yes", "--skip-preview")
        assert workplace.database(Site.RECOVERY)["DeletionProtection"]
        resources, present = workplace.all_resources(), workplace.present()
        (line,) = workplace.dr("destroy", "--yes", exit_code=2).errors
        assert "protected resources would be destroyed, nothing was touched: dr-automation: " in line
        assert f"Table {workplace.environment.names.of('failover-state', Site.RECOVERY)}" in line
        bare = workplace.pulumi("dr-automation", "destroy", "--yes", "--stack", "lab")
        assert bare.exit_code != 0
        assert "because it is protected" in bare.out
        assert workplace.all_resources() == resources
        now = workplace.present()
        assert {where: found - now[where] for where, found in present.items() if found - now[where]} == {}
    workplace.dr("deploy", *PROTECTED, "--yes", "--skip-preview")
    assert not workplace.database(Site.RECOVERY)["DeletionProtection"]
    assert _groups(workplace, Site.PRIMARY) == [_output(workplace, "primaryQuarantineSecurityGroupId")]


def _without_what_time_changes(database: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in database.items() if key != "LatestRestorableTime"}


def _groups(workplace: Workplace, site: Site) -> list[str]:
    return [group["VpcSecurityGroupId"] for group in workplace.database(site)["VpcSecurityGroups"]]


def _output(workplace: Workplace, key: str) -> Any:
    return json.loads(workplace.checkout.flat_outputs.read_text())[key]
