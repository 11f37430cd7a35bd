"""Real PostgreSQL servers: where the programs come from and how one server is run."""
