"""docs/decision-table.md: every decision of the controller, read out of ``failover.decide.decide`` itself."""
