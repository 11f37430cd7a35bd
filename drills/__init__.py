"""Drills: one rehearsed failure each, judged by what a writing client saw."""
