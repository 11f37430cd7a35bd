"""What is read from the system about a drill: its own records, alarms, replica lag and messages to people."""
