"""The verdict on a drill: which rows count as lost, and which checks must pass."""
