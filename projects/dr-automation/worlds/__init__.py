"""Worlds in memory in which the functions are tested; importable from any test, unlike a module beside them."""
