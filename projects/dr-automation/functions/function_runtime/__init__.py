"""What every function of this layer needs at its start: its environment, read and checked, and the words for places."""
