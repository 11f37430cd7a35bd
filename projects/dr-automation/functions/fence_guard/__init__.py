"""The fence-guard: in each site, it shuts its own database when another one is the writer."""
