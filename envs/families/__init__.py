"""Families of dialogs: one module each, listed in `envs/library.py`."""
