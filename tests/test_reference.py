"""Every public name is documented, with an example that runs; Sphinx makes the reference of it."""

import doctest
import importlib
import inspect
import pkgutil
import re

import numpy as np

import tinygrad_edu

# Read by those who want to know how it works; pages of the reference, too.
ENGINE = {"backprop", "ops", "tensor"}

# Modules without a page. A new module is public, until it stands here with a reason.
INTERNAL = {
    # whose names are those of the package
    "custom",
    "debugging",
    "modes",
    "saving",
    "transforms",
    # of drawing
    "drawing.formula",
    "drawing.graph",
    "drawing.narration",
    "drawing.page",
    "drawing.picture",
    "drawing.playing",
    "drawing.render",
    "drawing.slides",
    "drawing.steps",
    "drawing.text",
    "drawing.view",
    # of jit
    "asides",
    "compiling",
    "guards",
    "programs",
    "refusals_of_jit",
    "rewrites",
    "tracing",
    # of exploring
    "exploring.controls",
    "exploring.explore",
    "exploring.page",
    "exploring.plots",
    "exploring.views",
    # of pages that run in a browser
    "javascript",
    "standalone",
    # of optim
    "optim.adam",
    "optim.clipping",
    "optim.optimizer",
    "optim.sgd",
    # of testing
    "testing.__main__",
    "testing.adapters",
    "testing.catalogue",
    "testing.check",
    "testing.differences",
    "testing.engines",
    "testing.foreign",
    "testing.mistakes",
    "testing.reference",
    "testing.session",
    "testing.trial",
    # for the package itself
    "command_line",
    "errors",
    "files",
    "inputs",
    "kernels",
    "lessons.__main__",
    "locks",
    "numpy_api",
    "numpy_arithmetic",
    "numpy_arrangement",
    "numpy_linalg",
    "numpy_table",
    "other_names",
    "pairs",
    "refusals",
    "targets",
    "weights",
}

MODULES = {
    info.name.removeprefix("tinygrad_edu."): importlib.import_module(info.name)
    for info in pkgutil.walk_packages(tinygrad_edu.__path__, "tinygrad_edu.")
}
PAGES = [name for name in MODULES if name not in INTERNAL]

finder = doctest.DocTestFinder()
EXAMPLES = {  # the names whose docstrings have one that pytest --doctest-modules runs
    test.name
    for module in (tinygrad_edu, *MODULES.values())
    for test in finder.find(module)
    if test.examples
}


def names(module):
    """Its public functions and classes: those in ``__all__``, or else those without underscore."""
    chosen = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
    values = {name: getattr(module, name) for name in chosen}
    return {
        name: value
        for name, value in values.items()
        if inspect.isclass(value) or inspect.isroutine(value)
    }


def methods(cls):
    """Its own public methods and properties, as they stand in the class."""
    return {
        name: value
        for name, value in vars(cls).items()
        if not name.startswith("_")
        and hasattr(value, "__get__")
        and not inspect.ismemberdescriptor(value)
        and not re.fullmatch("set_.*_request", name)  # made by scikit-learn
    }


PUBLIC = {
    f"{value.__module__}.{value.__name__}": value
    for module in (tinygrad_edu, *(MODULES[page] for page in PAGES if page not in ENGINE))
    for value in names(module).values()
}
METHODS = {
    f"{owner}.{name}": value
    for owner, cls in PUBLIC.items()
    if inspect.isclass(cls)
    for name, value in methods(cls).items()
}
DOCSTRINGS = {
    "tinygrad_edu": tinygrad_edu.__doc__,
    **{f"tinygrad_edu.{page}": MODULES[page].__doc__ for page in PAGES},
    **{name: value.__doc__ for name, value in (PUBLIC | METHODS).items()},
}


def test_every_public_name_has_a_docstring():
    assert [name for name, text in DOCSTRINGS.items() if not text] == []


def test_every_public_function_and_class_has_an_example_that_runs():  # methods may share it
    assert sorted(PUBLIC.keys() - EXAMPLES) == []


def leads_somewhere(reference):
    value = {"np": np, "tinygrad_edu": tinygrad_edu, **vars(tinygrad_edu)}
    for part in reference.split("."):
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
    return value is not None


def test_dotted_names_in_docstrings_exist():
    ours = "|".join(["np", "tinygrad_edu", *vars(tinygrad_edu)])
    references = {
        (name, reference)
        for name, text in DOCSTRINGS.items()
        for reference in re.findall(rf"`((?:{ours})(?:\.\w+)+)(?:\(.*\))?`", text or "")
    }
    assert len(references) > 10
    assert [pair for pair in references if not leads_somewhere(pair[1])] == []


def test_the_first_page_leads_to_every_other():
    first = tinygrad_edu.__doc__
    assert [page for page in PAGES if f"``tinygrad_edu.{page}``" not in first] == []


def test_modules_without_a_page_exist():
    assert set(MODULES) >= INTERNAL
