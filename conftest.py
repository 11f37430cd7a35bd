"""What holds for every test: one that is slow on this machine has not failed."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from hypothesis import settings

# In CI hypothesis draws the same examples in every run; elsewhere it goes on searching.
settings.register_profile("any-machine", parent=settings.default, deadline=None)
settings.load_profile("any-machine")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Leave out what a test that passed has printed: the functions' logs are long, and a worker sends them over."""
    report = yield
    if report.passed:
        report.sections.clear()
    return report
