"""Runs the four programs in this process and makes what they declare."""
