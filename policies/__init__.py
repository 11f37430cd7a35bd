"""The policy pack: rules about single declarations, checked by Pulumi before it makes or changes anything."""
