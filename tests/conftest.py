"""Hypothesis profiles: ``dev`` draws anew in each run, ``ci`` repeats, ``nightly`` digs deep.

Choose one with ``pytest --hypothesis-profile=nightly``; ``ci`` is the default where $CI is set.
"""

import os

from hypothesis import Phase, settings

settings.register_profile("dev", max_examples=60, deadline=None)
settings.register_profile("ci", max_examples=60, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=2000, deadline=None)
settings.register_profile(
    "mutants", max_examples=100, deadline=None, derandomize=True, phases=[Phase.generate]
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
