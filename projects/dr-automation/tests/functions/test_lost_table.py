"""What shows that a site's table is older than it was, or that people have overruled it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aws_in_memory.clock import START
from failover.overtaken import is_overruled, is_to_be_compared, older_than_it_was
from function_runtime.handover import Handover
from function_runtime.sites import Site
from function_runtime.state import Controller

HERE, THERE = Site.RECOVERY, Site.PRIMARY
OURS = Controller(version=3, epoch=2, writer_site=THERE, authority=HERE)
THEIRS = replace(OURS, authority=THERE)
HANDING_OVER = replace(OURS, handover=Handover(HERE, THERE, "arn:person", epoch=2, begun_at=START))


@pytest.mark.parametrize(
    ("own", "compared"),
    [(OURS, False), (replace(OURS, version=0), True), (THEIRS, True), (replace(HANDING_OVER, authority=THERE), False)],
)
def test_only_a_birth_and_a_record_without_authority_wait_for_the_other_sites(own: Controller, compared: bool) -> None:
    assert is_to_be_compared(HERE, own) is compared


@pytest.mark.parametrize(
    ("own", "other", "is_older"),
    [
        (THEIRS, OURS, True),
        (THEIRS, replace(OURS, epoch=1), False),
        (OURS, OURS, False),
        (OURS, replace(OURS, epoch=3), True),
        (THEIRS, THEIRS, False),
        (THEIRS, HANDING_OVER, False),
    ],
)
def test_a_table_is_older_where_the_others_gives_it_an_authority_that_it_does_not_know(
    own: Controller, other: Controller, is_older: bool
) -> None:
    assert (older_than_it_was(HERE, own, other) is not None) is is_older


@pytest.mark.parametrize(
    ("own", "other", "overruled"),
    [
        (OURS, replace(THEIRS, epoch=3), True),
        (OURS, THEIRS, False),
        (replace(OURS, version=0), THEIRS, True),
        (OURS, replace(OURS, epoch=3), False),
    ],
)
def test_a_newer_record_that_gives_the_authority_away_overrules(
    own: Controller, other: Controller, overruled: bool
) -> None:
    assert is_overruled(HERE, own, other) is overruled
