"""What holds for every test: one that is slow on this machine has not failed."""

from __future__ import annotations

from hypothesis import settings

# In CI hypothesis draws the same examples in every run; elsewhere it goes on searching.
settings.register_profile("any-machine", parent=settings.default, deadline=None)
settings.load_profile("any-machine")
