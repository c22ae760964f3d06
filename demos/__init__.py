"""Lessons and programs to run, each a module: ``python -m demos NAME``."""

# The lecture, in order. Each of these is a script in cells, and a notebook, too.
LESSONS = (
    "derivative",
    "backpropagation",
    "classifier",
    "margins",
    "probabilities",
    "divergence",
    "own_loss",
    "search",
    "landscape",
    "stochastic",
    "noise",
    "optimizers",
    "stopping",
    "evaluation",
    "tuning",
    "future",
    "pytorch",
)

# Programs with options. The gallery runs these, too; others take longer or need more.
IN_THE_GALLERY = ("digits", "graph", "mistakes")
