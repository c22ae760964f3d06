"""Proofs of derivatives: ``check_grads``, and ``strategies`` for property tests."""

from tinygrad_edu.testing.check import check_grads

__all__ = ["check_grads"]
