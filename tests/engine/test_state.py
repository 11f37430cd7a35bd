"""The state is what AWS was read as, and what `deployment` reads of a Pulumi state can be read of it."""

from __future__ import annotations

import json

import pytest

from deployment.deployed import MASKED, Deployed
from lab.engine.registration import EngineError
from tests.engine.fake_account import Applied

PROGRAM = """
kept = pulumi.ResourceOptions(provider=provider, protect=True)
a = aws.sns.Topic("a", name="a", display_name=pulumi.Output.secret("hidden"), opts=kept)
aws.sns.TopicPolicy("p", arn=a.arn, policy="{}", opts=on)
pulumi.export("arn", a.arn)
pulumi.export("word", pulumi.Output.secret("hidden"))
"""


def test_a_refresh_takes_what_is_there_and_the_next_apply_puts_back_what_the_program_says(applied: Applied) -> None:
    applied(PROGRAM)
    applied.account.there["a"] = {"displayName": "by hand"}
    del applied.account.there["policy of arn:a"]
    assert applied.engine.rehearsal().refresh("demo") == {"update": 1, "delete": 1}
    assert applied.standing == ["a", "policy of arn:a"], "a rehearsal of it writes nothing"
    assert applied.engine.refresh("demo") == {"update": 1, "delete": 1}
    assert applied.standing == ["a"]
    assert applied(PROGRAM) == ["update a", "create policy of arn:a"]


def test_a_refresh_finds_nothing_where_nothing_was_changed(applied: Applied) -> None:
    applied(PROGRAM)
    assert applied.engine.refresh("demo") == {"same": 2}


def test_the_state_reads_as_pulumis(applied: Applied) -> None:
    applied(PROGRAM)
    exported = applied.engine.exported("demo")
    text = json.dumps(exported)
    assert "hidden" not in text
    known = Deployed.of(json.loads(text))
    assert known.outputs == {"arn": "arn:a", "word": MASKED}
    assert known.resources == ("Topic a", "TopicPolicy p")
    assert known.protected == ("Topic a (protected by Pulumi)",)
    stack, topic, policy = exported["deployment"]["resources"]
    assert stack["urn"] == topic["parent"] == "urn:pulumi:lab::demo::pulumi:pulumi:Stack::demo-lab"
    assert (topic["id"], topic["inputs"]["name"], topic["outputs"]["arn"]) == ("a", "a", "arn:a")
    assert policy["dependencies"] == [topic["urn"]]


def test_of_a_destroyed_layer_nothing_is_left_in_its_state(applied: Applied) -> None:
    applied(PROGRAM.replace("protect=True", "protect=False"))
    applied.engine.destroy("demo")
    assert Deployed.of(applied.engine.exported("demo")) == Deployed(exists=True)


def test_what_a_person_protects_is_so_until_the_program_says_again_what_is(applied: Applied) -> None:
    program = PROGRAM.replace("protect=True", "protect=False")
    applied(program)
    applied.engine.states["demo"].protect(protected=True)
    with pytest.raises(EngineError, match="because it is protected"):
        applied.engine.destroy("demo")
    assert applied.standing == ["a", "policy of arn:a"]
    applied(program)
    assert Deployed.of(applied.engine.exported("demo")).protected == ()
