"""A simulated network, clock and peer under the real AsyncClient: everything that happens follows from a seed."""
