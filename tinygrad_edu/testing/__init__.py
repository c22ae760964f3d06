"""Proofs of derivatives: ``check_grads`` and, for property tests with Hypothesis,
``strategies``."""

from tinygrad_edu.testing.check import check_grads

__all__ = ["check_grads"]
