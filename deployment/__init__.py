"""Deploying for real: the four layers through the Pulumi CLI, in the registry's order."""
