"""What all layers share: registry, contracts, settings, naming, tagging, providers."""
