"""Measurements of the times and sizes that the project promises: ``nox -s bench``."""
