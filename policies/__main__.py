"""The policy pack as Pulumi runs it: ``pulumi up --policy-pack ../../policies`` in a layer's folder."""

import sys
from functools import cache
from pathlib import Path

# As in the programs: shared/ and this package are found without an installation of this repository.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import inspect

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

from policies.declared import Declared, Expected, Rule, default_tags
from policies.rules import PROVIDER, RULES

NAME = "postgres-dr"


def policy(rule: Rule) -> ResourceValidationPolicy:
    """A rule as Pulumi calls it: a violation stops the operation before the resource is touched."""

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for line in rule(declared(args), expected(args.urn.split(":")[2])):
            report(f"{args.name}: {line}", None)

    name = rule.__name__.replace("_", "-")
    description = (inspect.getdoc(rule) or name).splitlines()[0]
    return ResourceValidationPolicy(name, description, validate, enforcement_level=EnforcementLevel.MANDATORY)


def declared(args: ResourceValidationArgs) -> Declared:
    """What Pulumi hands to a policy, as the rules see it."""
    inputs = args.props
    provider = inputs if args.resource_type == PROVIDER else {} if args.provider is None else args.provider.props
    return Declared(
        type=args.resource_type,
        name=args.name,
        inputs=inputs,
        protect=args.opts.protect,
        region=inputs.get("region") or provider.get("region"),
        tags={**default_tags(provider), **(inputs.get("tags") or {})},
    )


expected = cache(Expected.of_stack)

if __name__ == "__main__":
    PolicyPack(NAME, [policy(rule) for rule in RULES], EnforcementLevel.MANDATORY)
