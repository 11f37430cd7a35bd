"""Drills: rehearsed failures in the lab, judged by what writing clients saw."""
