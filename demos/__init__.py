"""Lessons to run: each module is one, ``python -m demos NAME``."""
