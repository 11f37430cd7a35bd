"""The snapshot copier: in each site, it copies the writer's snapshots from the other site, and lets old copies go."""
