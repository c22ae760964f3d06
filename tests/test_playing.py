"""Pages that can be played with, in a real browser: what they show is what Python computes anew."""

from importlib.resources import files

import numpy as np

from tinygrad_edu.drawing import text

# Numbers as text.


def numbers_of_all_kinds(rng):
    """Arrays and how many digits of them to write, at random, and those that are hard to round."""
    special = [0.0, -0.0, np.nan, np.inf, -np.inf, 0.125, 2.5, 1.125, 999999.5, 1e6, -1e6, 999999.0]
    special += [1e-4, 9.9995e-5, 9.995, 5e-324, 1.7e308, 1e21, 2.0**53, -0.5, 0.3]
    for precision in 1, 2, 3, 4, 15, 16, 17, 18, 20, 50:
        yield from ((np.array(x), precision) for x in special)
    precisions = lambda: int(rng.integers(1, 21))  # noqa: E731
    for bits in rng.integers(0, 2**64, 2000, dtype=np.uint64):
        yield bits.view(np.float64), precisions()
    for x in rng.normal(size=2000) * 10.0 ** rng.integers(-8, 9, 2000):
        yield np.array(x), precisions()
    for x in rng.integers(-(10**7), 10**7, 2000) / 2.0 ** rng.integers(0, 13, 2000):  # ties
        yield np.array(x), precisions()
    for _ in range(1000):
        shape = [(2,), (2, 2), (1, 3), (1, 1, 2), (6,), (3, 4), (0,), (5, 1)][rng.integers(8)]
        x = rng.normal(size=shape)
        x = np.where(rng.random(shape) < 0.1, rng.choice([np.nan, np.inf, -np.inf, 0.0]), x)
        digits = min(precisions(), 12)  # the last ones of a sum depend on its order
        yield x.astype(np.float32) if rng.random() < 0.5 else x, digits
        yield rng.integers(-9, 10, shape), 3
        yield rng.random(shape) < 0.5, 3
    yield np.array([1e16, 1.0, -1e16, 1.0, 0.0]), 3  # the mean of which is noise
    yield np.array([0.1, 0.2, -0.3, 0.1, -0.1]), 3


def test_javascript_writes_numbers_as_python_does(browser):
    rng = np.random.default_rng()
    cases = [(np.asarray(x), precision) for x, precision in numbers_of_all_kinds(rng)]
    rows = [
        (list(map(str, x.astype(float).flat)), x.shape, f"{x.dtype.kind}{x.itemsize}", precision)
        for x, precision in cases
    ]
    script = files("tinygrad_edu.drawing").joinpath("numbers.js").read_text("utf-8")
    page = browser.new_page()
    found = page.evaluate(
        f"""(rows) => {{
            {script}
            const special = {{inf: Infinity, "-inf": -Infinity, nan: NaN}};
            const number = (word) => special[word] ?? Number(word);
            return rows.map(([row, ...rest]) => numbers.values(row.map(number), ...rest));
        }}""",
        rows,
    )
    page.close()
    for (x, precision), words in zip(cases, found, strict=True):
        assert words == text.values(x, precision), (x, precision)
