"""Replay: record the NumPy calls of a training step, and from then on make only these calls."""

from tinygrad_edu.replaying.replay import replay

__all__ = ["replay"]
