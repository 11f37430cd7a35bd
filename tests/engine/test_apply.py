"""A program that is applied again changes what differs and nothing else, in Pulumi's order and with its refusals."""

from __future__ import annotations

import textwrap

import pytest
from botocore.exceptions import ClientError

from lab.engine.deletion import DestroyError
from lab.engine.registration import EngineError
from tests.engine.fake_account import Applied

TWO = """
a = aws.sns.Topic("a", name="a", display_name="A", opts=on)
aws.sns.TopicPolicy("p", arn=a.arn, policy="{}", opts=on)
"""
PROTECTED = """
kept = pulumi.ResourceOptions(provider=provider, protect=True)
aws.sns.Topic("a", name="a", fifo_topic=False, opts=kept)
"""


def test_the_same_program_again_asks_for_nothing(applied: Applied) -> None:
    assert applied(TWO) == ["create a", "create policy of arn:a"]
    assert applied(TWO) == []


def test_what_differs_is_updated_and_the_update_sees_both_sides(applied: Applied) -> None:
    applied(TWO)
    assert applied(TWO.replace('"A"', '"B"')) == ["update a"]
    ((old, new),) = applied.account.written
    assert (old["displayName"], new["displayName"]) == ("A", "B")
    assert applied(TWO.replace('"A"', '"B"')) == []


def test_what_only_the_state_needs_is_kept_without_a_call(applied: Applied) -> None:
    applied(TWO)
    assert applied(TWO.replace("display_name", 'delivery_policy="x", display_name')) == []
    assert applied.engine.kept[0].made.inputs["deliveryPolicy"] == "x"


def test_what_cannot_change_is_replaced_and_goes_after_all_that_used_it(applied: Applied) -> None:
    applied(TWO)
    assert applied(TWO.replace('name="a"', 'name="b"')) == [
        "create b",
        "create policy of arn:b",
        "delete policy of arn:a",
        "delete a",
    ]


def test_a_replacement_under_the_same_name_needs_the_old_one_gone(applied: Applied) -> None:
    program = 'aws.sns.Topic("a", name="a", fifo_topic=False, opts=on)'
    applied(program)
    assert applied(program.replace("False", "True")) == ["delete a", "create a"]


def test_a_program_can_ask_for_the_old_one_to_go_first(applied: Applied) -> None:
    program = """
    first = pulumi.ResourceOptions(provider=provider, delete_before_replace=True)
    aws.sns.Topic("a", name="a", opts=first)
    """
    applied(program)
    assert applied(program.replace('name="a"', 'name="b"')) == ["delete a", "create b"]


def test_what_is_no_longer_declared_goes_last_and_before_what_it_depends_on(applied: Applied) -> None:
    applied("""
    a = aws.sns.Topic("a", name="a", opts=on)
    b = aws.sns.Topic("b", name="b", opts=pulumi.ResourceOptions(provider=provider, depends_on=[a]))
    aws.sns.Topic("c", name="c", opts=pulumi.ResourceOptions(provider=provider, depends_on=[b]))
    """)
    assert applied('aws.sns.Topic("d", name="d", opts=on)') == ["create d", "delete c", "delete b", "delete a"]
    assert applied.standing == ["d"]


def test_dependencies_that_came_later_count(applied: Applied) -> None:
    applied('aws.sns.Topic("a", name="a", opts=on)')
    applied("""
    b = aws.sns.Topic("b", name="b", opts=on)
    aws.sns.Topic("a", name="a", opts=pulumi.ResourceOptions(provider=provider, depends_on=[b]))
    """)
    applied.account.calls.clear()
    applied.engine.destroy()
    assert applied.account.asked() == ["delete a", "delete b"]


def test_for_an_ignored_change_the_states_value_counts(applied: Applied) -> None:
    program = """
    theirs = pulumi.ResourceOptions(provider=provider, ignore_changes=["displayName", "policy"])
    t = aws.sns.Topic("a", name="a", display_name="A", delivery_policy="x", opts=theirs)
    pulumi.export("shown", t.display_name)
    """
    applied(program)
    applied.account.there["a"] = {"displayName": "moved at run time"}
    assert applied.engine.refresh("demo") == {"same": 1}, "it is no drift"
    assert applied(program.replace('"A"', '"B"').replace("delivery", 'policy="new", delivery')) == []
    inputs = applied.engine.kept[0].made.inputs
    assert inputs["displayName"] == "moved at run time"
    assert "policy" not in inputs, "the state has none"
    assert applied.engine.outputs(applied.layer)["shown"] == "moved at run time"


def test_a_path_into_an_input_cannot_be_ignored(applied: Applied) -> None:
    program = """
    theirs = pulumi.ResourceOptions(provider=provider, ignore_changes=["tags.Owner"])
    aws.sns.Topic("a", name="a", opts=theirs)
    """
    with pytest.raises(EngineError, match="whole inputs only"):
        applied(program)


def test_what_is_protected_is_not_deleted_and_nothing_else_of_the_deletion_is(applied: Applied) -> None:
    applied(PROTECTED + 'aws.sns.Topic("b", name="b", opts=on)')
    with pytest.raises(EngineError, match=r'(?s)resource "urn:.*::a" cannot be deleted.*pulumi state unprotect'):
        applied("")
    assert applied.account.asked() == []
    with pytest.raises(EngineError, match="cannot be deleted"):
        applied.engine.destroy()
    assert applied.account.asked() == []
    assert sorted(applied.standing) == ["a", "b"]


def test_what_is_protected_is_not_replaced_but_may_be_when_it_no_longer_is(applied: Applied) -> None:
    applied(PROTECTED)
    replaced = PROTECTED.replace("False", "True")
    with pytest.raises(EngineError, match=r'(?s)unable to replace resource "urn:.*::a".*marked for protection'):
        applied(replaced)
    assert applied.account.asked() == []
    assert applied(replaced.replace("protect=True", "protect=False")) == ["delete a", "create a"]


def test_what_is_retained_leaves_the_state_alone(applied: Applied) -> None:
    applied(PROTECTED.replace("protect=True", "retain_on_delete=True"))
    assert applied("") == []
    assert (applied.standing, list(applied.account.there)) == ([], ["a"])


def test_after_a_failure_the_next_apply_goes_on(applied: Applied) -> None:
    applied('aws.sns.Topic("old", name="old", opts=on)')
    applied.account.refused = {"policy of arn:a"}
    with pytest.raises(ClientError):
        applied(TWO)
    assert applied.account.asked() == ["create a", "create policy of arn:a"], "nothing is deleted after a failure"
    applied.account.refused = set()
    assert applied(TWO) == ["create policy of arn:a", "delete old"]


def test_what_was_made_and_did_not_come_up_is_finished_and_not_made_again(applied: Applied) -> None:
    applied.account.half_made = {"a"}
    with pytest.raises(EngineError, match="does not answer"):
        applied(TWO)
    assert applied.standing == ["a"]
    assert applied(TWO) == ["update a", "create policy of arn:a"]
    ((old, new),) = applied.account.written
    assert "displayName" not in old, "nobody knows what was written"
    assert new["displayName"] == "A"
    assert applied(TWO) == []


def test_a_change_that_nobody_can_make_names_type_input_and_where_to_add_it(applied: Applied) -> None:
    program = 'aws.sqs.Queue("q", name="q", delay_seconds=1, opts=on)'
    applied(program)
    with pytest.raises(EngineError, match=r"cannot change delaySeconds of a aws:sqs/queue:Queue .*resources/changes"):
        applied(program.replace("=1", "=2"))
    assert applied.account.asked() == []


@pytest.mark.parametrize(
    "renamed",
    [
        'aws.sns.Topic("new", name="a", opts=aliased(pulumi.Alias(name="a")))',
        'aws.sns.Topic("new", name="a", opts=aliased("urn:pulumi:lab::demo::aws:sns/topic:Topic::a"))',
        """
class Part(pulumi.ComponentResource):
    pass

part = Part("demo:index:Part", "part")
aws.sns.Topic("a", name="a", opts=aliased(pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE), parent=part))
""",
    ],
)
def test_under_an_alias_it_is_the_same_resource(applied: Applied, renamed: str) -> None:
    options = "aliased = lambda one, **more: pulumi.ResourceOptions(provider=provider, aliases=[one], **more)\n"
    applied('aws.sns.Topic("a", name="a", opts=on)')
    assert applied(options + renamed) == []


def test_an_alias_of_a_component_is_one_of_its_children_too(applied: Applied) -> None:
    program = """
    class Part(pulumi.ComponentResource):
        pass

    part = Part("demo:index:Part", "part")
    aws.sns.Topic("part-topic", name="a", opts=pulumi.ResourceOptions(provider=provider, parent=part))
    """
    applied(program)
    other = program.replace('demo:index:Part", "part"', 'demo:index:Piece", "piece", None, aliased')
    other = other.replace('"part-topic"', '"piece-topic"')
    options = 'aliased = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="part", type_="demo:index:Part")])\n'
    assert applied(options + "\n" + textwrap.dedent(other)) == []


@pytest.mark.parametrize(
    ("option", "name"), [('replace_on_changes=["name"]', "replaceOnChanges"), ("deleted_with=first", "deletedWith")]
)
def test_an_option_that_would_not_be_heeded_is_refused_by_name(applied: Applied, option: str, name: str) -> None:
    program = f"""
    first = aws.sns.Topic("a", name="a", opts=on)
    aws.sns.Topic("b", name="b", opts=pulumi.ResourceOptions(provider=provider, {option}))
    """
    with pytest.raises(EngineError, match=f"does not know the option {name}"):
        applied(program)


def test_patience_is_no_matter_of_the_labs(applied: Applied) -> None:
    patient = "pulumi.ResourceOptions(provider=provider, custom_timeouts=pulumi.CustomTimeouts(create='3h'))"
    assert applied(f'aws.sns.Topic("a", name="a", opts={patient})') == ["create a"]


def test_what_cannot_be_deleted_keeps_what_it_depends_on(applied: Applied) -> None:
    applied(TWO + 'aws.sns.Topic("other", name="other", opts=on)')
    applied.account.refused = {"policy of arn:a"}
    with pytest.raises(DestroyError, match=r"::p: .*in use"):
        applied.engine.destroy()
    assert applied.standing == ["a", "policy of arn:a"]


def test_a_preview_changes_nothing_and_counts_what_would_be(applied: Applied) -> None:
    applied(TWO + 'aws.sns.Topic("gone", name="gone", opts=on)')
    state = list(applied.engine.kept)
    policy_of_new = 'aws.sns.TopicPolicy("q", arn=aws.sns.Topic("n", name="n", opts=on).arn, policy="{}", opts=on)'
    counts = applied.previewed(TWO.replace('"A"', '"B"') + policy_of_new)
    assert counts == {"update": 1, "same": 1, "create": 2, "delete": 1}
    assert applied.account.asked() == []
    assert applied.engine.kept == state
