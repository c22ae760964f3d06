"""Checks of derivatives: ``check_grads``, and strategies for property tests.

The strategies are in ``tinygrad_edu.testing.strategies``, and need Hypothesis.
"""

from tinygrad_edu.testing.check import check_grads

__all__ = ["check_grads"]
