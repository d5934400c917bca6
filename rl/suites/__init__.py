"""Benchmarks of a policy: what each asks, how it judges, and what is made of it. `table.py` lists them."""
