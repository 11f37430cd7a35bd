"""Mutation testing: what decides is changed in one place at a time, and its tests have to notice."""
