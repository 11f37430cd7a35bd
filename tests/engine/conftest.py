"""Fixtures of the engine's tests."""

from __future__ import annotations

from tests.engine.fake_account import applied

__all__ = ["applied"]
