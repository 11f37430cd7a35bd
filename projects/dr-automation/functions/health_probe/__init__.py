"""health-probe: asks both databases, from inside its site's network, whether they take connections and writes."""
