"""Benchmarks: this add-on against plain Odoo (the floor) and a peer, in one run."""
