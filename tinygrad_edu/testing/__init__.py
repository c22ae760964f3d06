"""Checks of derivatives: ``check_grads`` of functions, ``check_engine`` of whole engines.

There are strategies for property tests in ``tinygrad_edu.testing.strategies``; they and
``check_engine`` need Hypothesis. ``python -m tinygrad_edu.testing micrograd`` prints what
``check_engine`` says of an engine.
"""

from tinygrad_edu.testing.check import check_grads
from tinygrad_edu.testing.engines import (
    Engine,
    FunctionEngine,
    check_engine,
    parametrize_with_engine_checks,
)
from tinygrad_edu.testing.foreign import as_tensor, function_of

__all__ = [
    "Engine",
    "FunctionEngine",
    "as_tensor",
    "check_engine",
    "check_grads",
    "function_of",
    "parametrize_with_engine_checks",
]
