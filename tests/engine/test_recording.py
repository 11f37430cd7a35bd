"""The recording engine shows what a program declares, as AWS would get to see it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.engine.recording import RecordedProgram, run_recorded_folder
from lab.engine.registration import EngineError
from lab.engine.stack_outputs import UnknownStackError
from tests.engine.projects import write_project

PROGRAM = """
class Part(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("demo:index:Part", "part", None, None)
        self.topic = aws.sns.Topic(
            "inside", name="inside-lab", tags={"Owner": "other", "Name": "x"},
            opts=pulumi.ResourceOptions(parent=self, provider=provider),
        )
        self.register_outputs({})

topic = Part().topic
aws.sns.TopicPolicy("policy", arn=topic.arn, policy="{}", opts=on)
pulumi.export("arn", topic.arn)
pulumi.export("word", pulumi.Output.secret("hidden"))
"""
REFERENCE = """
below = pulumi.StackReference("organization/below/lab")
aws.sns.Topic("topic", name=below.require_output("name"), opts=on)
pulumi.export("name", below.require_output("name"))
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> RecordedProgram:
    return run_recorded_folder(write_project(tmp_path_factory.mktemp("demo"), PROGRAM))


def test_a_resource_has_the_region_and_the_tags_of_its_provider_and_its_own(recorded: RecordedProgram) -> None:
    topic = recorded.resource("inside")
    assert topic.region == "ap-southeast-2"
    assert topic.tags == {"Owner": "other", "DR-Role": "primary", "Name": "x"}


def test_a_childs_urn_and_parent_are_the_real_engines(recorded: RecordedProgram) -> None:
    topic = recorded.resource("inside")
    assert topic.urn == "urn:pulumi:lab::demo::demo:index:Part$aws:sns/topic:Topic::inside"
    assert topic.parent == "urn:pulumi:lab::demo::demo:index:Part::part"


def test_a_dependency_through_an_input_is_recorded(recorded: RecordedProgram) -> None:
    topic, policy = recorded.resource("inside"), recorded.resource("policy", "TopicPolicy")
    assert policy.inputs["arn"] == topic.outputs["arn"] == "arn:aws:sns:ap-southeast-2:000000000000:inside-lab"
    assert policy.dependencies == {topic.urn}


def test_outputs_say_which_of_them_are_secret(recorded: RecordedProgram) -> None:
    assert recorded.outputs["arn"] == "arn:aws:sns:ap-southeast-2:000000000000:inside-lab"
    assert recorded.secret_outputs == {"word"}


def test_a_name_that_is_not_there_is_an_error_that_lists_those_that_are(recorded: RecordedProgram) -> None:
    with pytest.raises(LookupError, match="inside"):
        recorded.resource("outside")


def test_a_stack_reference_answers_with_the_outputs_of_the_program_below(tmp_path: Path) -> None:
    folder = write_project(tmp_path, REFERENCE)
    program = run_recorded_folder(folder, below={"below": {"name": "from-below"}})
    assert program.outputs == {"name": "from-below"}
    assert program.resource("topic").inputs["name"] == "from-below"


@pytest.mark.filterwarnings("ignore:coroutine 'Output:RuntimeWarning")
def test_a_stack_that_was_not_deployed_is_the_real_engines_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownStackError, match='unknown stack "organization/below/lab"'):
        run_recorded_folder(write_project(tmp_path, REFERENCE))


def test_a_function_call_is_answered_by_the_test_or_refused(tmp_path: Path) -> None:
    token = "aws:sns/getTopic:getTopic"
    program = """
    found = aws.sns.get_topic(name="x", opts=pulumi.InvokeOptions(provider=provider))
    pulumi.export("arn", found.arn)
    """
    folder = write_project(tmp_path, program)
    answered = run_recorded_folder(folder, answers={token: lambda call: {"arn": f"arn-of-{call.arguments['name']}"}})
    assert answered.outputs == {"arn": "arn-of-x"}
    with pytest.raises(EngineError, match=token):
        run_recorded_folder(folder)
