"""The observability layer: alarms for people and the dashboard."""
