"""How long faults last, measured by what the controller waits for."""

# outageSeconds in projects/dr-automation/Pulumi.lab.yaml; a test compares them.
OUTAGE_SECONDS = 4.0
# Less than an outage. Long enough for two probes to begin and to time out in it, whenever they begin: one lost probe is
# no flap.
FLAP_FROZEN_SECONDS = 3.2
FLAP_ANSWERS_SECONDS = 2.5
