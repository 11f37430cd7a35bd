"""The clients that write during a drill: how they find the writer, when they reconnect, and what they saw."""
