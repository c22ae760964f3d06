"""Pages that can be played with, in a real browser: what they show is what Python computes anew."""

from importlib.resources import files

import numpy as np
import pytest

from tinygrad_edu import Tensor, functional, losses, nn, no_grad, primitive, steps
from tinygrad_edu.drawing import text
from tinygrad_edu.drawing.playing import playable

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


def test_javascript_writes_numbers_as_python_does(browser, rng):
    cases = [(np.asarray(x), precision) for x, precision in numbers_of_all_kinds(rng)]
    rows = [
        (list(map(str, x.astype(float).flat)), x.shape, x.dtype.str[1:], precision)
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


# Pages that follow the numbers in their fields.


def neuron(x1, x2, w1, w2, b):
    return functional.sigmoid(w1 * x1 + w2 * x2 + b)


def classes(W, b):  # noqa: N803 (as one writes it)
    x = np.random.default_rng(0).normal(size=(4, 2))
    return losses.cross_entropy(x @ W.T + b, np.array([0, 1, 2, 0]))


def softmax(z, c):
    return (functional.softmax(z) * c).sum() + functional.logsumexp(z)


def overflow(z):
    return functional.logsumexp(np.exp(z))


def one_score(z):
    return functional.log_softmax(z)[0]


def diamond(x):
    y = x * x
    return y * x + y - x


def broadcasting(m, row, column):
    return (m * row + column - 2.0).sum()


def rectified(x, w, b):
    return losses.hinge(functional.relu(x * w + b), np.array(1.0))


def robust(x):
    return losses.huber_loss(x, np.zeros(2)) + losses.huber_loss(x[0], 2.0)


def divergence(x, y):
    return losses.kl_divergence(functional.softmax(x), functional.softmax(y))


def powers(a, b):
    return (a**b).sum()


def kinks(x, y):
    return (np.maximum(x, y) + np.abs(x) - np.minimum(x, 0.0)).sum() + np.max(x)


def holes(x, y):
    return np.sum(np.log(x) / y) + np.sqrt(x[0])


def signs(x):
    return np.exp(-(-1.0 * -x)) * (-2.0) - np.cos(x)


def scores(x, w):
    return losses.hinge(x @ w, np.array([1, -1])) + np.mean(x, axis=0)[1] ** 2


def digits(x, y):
    return x * 1e5 + y / 3e4


def single(x, w):
    return functional.softplus(x * w).sum()


NUMBERS = {
    neuron: {"x1": 1.0, "x2": -2.0, "w1": 0.5, "w2": 0.25, "b": 0.1},
    classes: {"W": np.random.default_rng(0).normal(size=(3, 2)), "b": np.zeros(3)},
    softmax: {"z": [0.5, -1.0, 2.0], "c": [1.0, 2.0, 3.0]},
    overflow: {"z": [0.5, 0.25]},
    one_score: {"z": [0.5, 0.25]},
    diamond: {"x": -3.0},
    broadcasting: {"m": np.eye(2, 3), "row": [0.5, 1.0, -1.0], "column": [[1.0], [2.0]]},
    rectified: {"x": 0.5, "w": -2.0, "b": 0.25},
    robust: {"x": [0.5, 3.0]},
    divergence: {"x": [0.5, 0.25], "y": [1.0, 0.0]},
    powers: {"a": [0.5, 2.0], "b": [2.0, 3.0]},
    kinks: {"x": [0.5, -2.0], "y": [1.0, -3.0]},
    holes: {"x": [0.5, 2.0], "y": [2.0, 4.0]},
    signs: {"x": 2.0},
    scores: {"x": [[1.0, 2.0], [0.5, -1.0]], "w": [0.3, -0.2]},
    digits: {"x": 1.0, "y": 1.0},
    single: {"x": np.float32([0.1, 0.2]), "w": np.float32(3.0)},
}  # fmt: skip


def told(build, numbers, **options):
    """The steps of a graph, in which some leaves require no gradient."""
    leaves = {
        name: Tensor(x, requires_grad=name not in ("x1", "x2", "column"), name=name)
        for name, x in numbers.items()
    }
    with np.errstate(all="ignore"):
        return steps(build(**leaves), **options)


def fields_of(numbers):
    """Each number by the name of its field."""
    return {
        name if np.size(x) == 1 else f"{name}[{','.join(map(str, index))}]": np.asarray(x)[index]
        for name, x in numbers.items()
        for index in np.ndindex(np.shape(x))
    }


def drawn(rng, numbers, is_tame):
    """Other numbers: some at random, some where something happens."""
    special = [0.0, 1.0, -1.0, 2.0, 0.5, -1e-5] + ([] if is_tame else [1e7, 123456.0, 30.0, -800.0])

    def one(x):
        x = np.asarray(x)
        is_special = rng.random(x.shape) < 0.4
        chosen = np.where(is_special, rng.choice(special, x.shape), rng.normal(size=x.shape))
        return chosen.astype(x.dtype)

    return {name: one(x) for name, x in numbers.items()}


def type_in(page, name, words):
    field = page.page.get_by_label(name, exact=True)
    field.fill(words)
    field.press("Enter")


def fill(page, numbers):
    for name, x in fields_of(numbers).items():
        type_in(page, name, repr(float(x)))


ALL = """() => {
    const item = [...document.querySelectorAll("#steps > li")].find((item) => !item.hidden);
    const texts = (kind, write) => Object.fromEntries(
        [...document.querySelectorAll(`svg .node text${kind}`)]
            .filter((text) => getComputedStyle(text).visibility === "visible")
            .map((text) => [text.closest(".node").id, write(text)]));
    const words = (kind) => [...item.querySelectorAll(kind)].map((part) => part.textContent);
    const number = (text) => [text.textContent, text.classList.contains("alarm")];
    return [
        item.querySelector("h2").textContent,
        words(".derivation > *").filter(Boolean),
        words(".result"),
        texts(":not([class], [font-weight])", (text) => text.textContent.trim()),
        texts(".value", number),
        texts(".gradient", number),
    ];
}"""


def computed(told, precision=3):
    """What Python says at each step, in the form of ``ALL``."""
    graph = told._graph
    place = {id(member): f"n{i}" for i, member in enumerate(graph.members)}
    later = {place[id(step.tensor)] for step in told if step.phase == "forward"}
    results = {id(result) for result in graph.results}
    operations = {}
    for member in graph.members:
        operation = f"= {graph.expression(member, precision)}" if id(member) in results else ""
        words = f"{operation} {member.shape or ''}".strip()
        operations |= {place[id(member)]: words} if words else {}

    def number(x, before=""):
        return [before + text.values(x, precision), not np.isfinite(x).all()]

    for step in told:
        later -= {place[id(step.tensor)]}
        yield [
            f"step {step.number} of {step.count}, {step.title}",
            [
                words
                for each in step.derivations
                for words in (each.target, *(f"= {x}" for x in each.expressions), *each.notes)
            ],
            [f"= {each.expressions[-1]}" for each in step.derivations],
            operations,
            {
                node: number(np.asarray(getattr(member, "data", member)))
                for member in graph.members
                if (node := place[id(member)]) not in later
            },
            {place[id(x)]: number(g, "grad ") for x, g in step.gradients.items()},
        ]


@pytest.mark.parametrize("build", NUMBERS)
def test_with_other_numbers_a_page_shows_what_python_says_of_them(read, rng, build):
    page = read(told(build, NUMBERS[build]))
    first = page.at_each_step(ALL)
    assert first == [*computed(page.told)]
    for _ in range(2):
        numbers = drawn(rng, NUMBERS[build], build is divergence)
        fill(page, numbers)
        page.page.locator("#slider").fill("1")
        assert page.at_each_step(ALL) == [*computed(told(build, numbers))], numbers
    page.page.click("#reset")
    page.page.locator("#slider").fill("1")
    assert page.at_each_step(ALL) == first


@pytest.mark.parametrize("build", NUMBERS)
def test_a_program_has_an_answer_to_all_numbers(build):
    """The page relies on it: no check of Python is part of a graph, so that none refuses."""
    passes = told(build, NUMBERS[build])
    play = playable(passes._graph, passes._given, precision=3)
    assert "return [" in play.program
    assert 'return "' not in play.program


@pytest.mark.parametrize("precision", [1, 6])
def test_other_numbers_have_as_many_digits_as_the_first(read, precision):
    page = read(told(robust, NUMBERS[robust], precision=precision))
    fill(page, {"x": [1 / 3, -2 / 3]})
    anew = told(robust, {"x": [1 / 3, -2 / 3]}, precision=precision)
    page.page.locator("#slider").fill("1")
    assert page.at_each_step(ALL) == [*computed(anew, precision)]


def test_names_and_labels_do_not_matter(read):
    """Of a module, of a tensor that is called like a letter or a number, and of arrays."""
    first, second = nn.Linear(2, 2, rng=0), nn.Linear(2, 1, rng=1)
    model = nn.Sequential(first, second)
    data, labels = np.array([[1.0, -2.0]]), np.array([-1])

    def build(x):
        y = model(x * data) * Tensor(2.0, name="2")
        return steps(losses.hinge(y.reshape(1), labels), names={"data": data})

    page = read(build(Tensor(1.0, requires_grad=True, name="g")))
    assert [*page("[...document.querySelectorAll('.field label')].map((x) => x.textContent)")] == [
        "g",
        "data[0,0]",
        "data[0,1]",
        *(f"0.weight[{i},{j}]" for i in range(2) for j in range(2)),
        *("0.bias[0]", "0.bias[1]", "1.weight[0,0]", "1.weight[0,1]", "1.bias", "2"),
    ]
    type_in(page, "data[0,1]", "7")
    type_in(page, "g", "-0.25")
    type_in(page, "0.bias[1]", "2")
    data[0, 1] = 7.0
    first.bias.data = [first.bias.data[0], 2.0]
    anew = build(Tensor(-0.25, requires_grad=True, name="g"))
    page.page.locator("#slider").fill("1")
    assert page.at_each_step(ALL) == [*computed(anew)]


def test_a_page_has_the_numbers_of_the_time_of_its_steps(read):
    w, c = Tensor(2.0, requires_grad=True, name="w"), np.array([1.0, 3.0])
    passes = steps((functional.relu(w) * c).sum(), names={"c": c})
    w.data, c[1] = -5.0, 100.0
    with no_grad():
        page = read(passes, "#2")
    type_in(page, "w", "3")
    assert said(page) == "v2 = [3, 9]"
    type_in(page, "w", "-3")
    assert said(page) == "v2 = [0, 0]"
    page.page.click("#reset")
    assert said(page) == "v2 = [2, 6]"


def test_a_number_has_the_precision_of_its_leaf(read):
    numbers = {"x": np.float32([0.5, 0.25]), "w": np.float32(1.0)}
    page = read(told(single, numbers, precision=9))
    type_in(page, "x[0]", "0.1")
    anew = told(single, numbers | {"x": np.float32([0.1, 0.25])}, precision=9)
    assert page(ALL) == next(computed(anew, 9))


def said(page):
    """What a screen reader is told of a change."""
    return page("document.getElementById('said').textContent")


# What is chosen by numbers.


def test_what_is_chosen_once_is_named(read):
    x = Tensor([0.5, -1.0, 2.0], requires_grad=True, name="x")
    p = Tensor([0.0, 1.0], requires_grad=True, name="p")
    for build, names in [
        (lambda: np.where(x > 0, x, 0.1 * x).sum(), "v3"),
        (lambda: np.median(x), "v3"),
        (lambda: x[x.data > 0].sum(), "v1"),
        (lambda: losses.kl_divergence(np.reshape(p, (1, 2)), np.array([[0.3, 0.7]])), "v3"),
    ]:
        page = read(steps(build()))
        expected = f"Chosen once, by the first numbers: {names}."
        assert page.page.locator("#fixed").text_content() == expected
    page = read(steps(functional.relu(x)[:2].sum()))
    assert page.page.locator("#fixed").text_content() == ""


def many(x):
    return (np.sin(x * np.ones((400, 2))) ** 2).sum()


def twice(x):
    return primitive(lambda a: a * 2, lambda g, y, a: 2 * g)(x).sum()


@pytest.mark.parametrize(
    ("build", "x", "reason"),
    [
        (lambda x: np.linalg.inv(x).sum(), np.eye(2), "solve() cannot be written as JavaScript"),
        (twice, [1.0, 2.0], "<lambda>() cannot be written as JavaScript"),
        (lambda x: x.sum(), np.float16([1.0, 2.0]), "float16 cannot be written as JavaScript"),
        (lambda x: x.sum(), np.ones(7), "no tensor that was given has at most 6 numbers"),
        (
            lambda x: (x * np.ones((500, 2))).sum(),
            [0.5, 0.25],
            "its leaves have more than 1,000",
        ),
        (many, [1.0, 2.0], "operations of single numbers, more than the 2,000"),
    ],
)
def test_what_cannot_be_played_with_says_why(read, build, x, reason):
    passes = steps(build(Tensor(x, requires_grad=True)))
    page = read(passes)
    words = page.page.locator("#help").text_content()
    assert "The numbers of this page cannot be changed: " in words
    assert reason in words
    assert page("document.getElementById('numbers').checkVisibility()") is False
    assert page.at_each_step(ALL) == [*computed(passes)]
    page.page.click("#predict")
    assert page("document.querySelector('#steps > li:not([hidden]) .result').textContent") == "= ?"


# Fields.


def shown(page, name):
    """The text of a field, the place of its slider, and what is said to be wrong."""
    field = page.page.get_by_label(name, exact=True)
    slider = page.page.get_by_label(f"{name}, slider", exact=True)
    note = field.get_attribute("aria-describedby")
    return [
        field.input_value(),
        int(slider.input_value()),
        page.page.locator(f"#{note}").text_content(),
    ]


def test_a_slider_goes_as_far_as_twice_the_first_number_and_wider_for_a_larger_one(read):
    page = read(told(neuron, NUMBERS[neuron]))
    assert shown(page, "w1") == ["0.5", 50, ""]
    page.page.get_by_label("w1, slider").fill("-100")
    assert shown(page, "w1") == ["-1", -100, ""]
    type_in(page, "w1", "37.5")
    assert shown(page, "w1") == ["37.5", 75, ""]
    page.page.get_by_label("w1, slider").fill("7")
    assert shown(page, "w1") == ["3.5", 7, ""]
    assert said(page) == "v1 = 3.5"
    page = read(told(diamond, {"x": 0.0}))
    assert shown(page, "x") == ["0", 0, ""]
    page.page.get_by_label("x, slider").fill("100")
    assert shown(page, "x") == ["1", 100, ""]


def test_what_is_no_number_is_refused_at_its_field(read):
    page = read(told(diamond, NUMBERS[diamond]))
    for words in "abc", "0,5", "", "nan", "inf", "1e999", "0x10", "1 2", "--1", "1_000", "１":
        type_in(page, "x", words)
        typed, slider, note = shown(page, "x")
        assert (typed, slider) == (words, -30)
        assert note.endswith("is no number here; write it as 0.5, -2 or 1e-3. It is still -3.")
        assert page.page.get_by_label("x", exact=True).get_attribute("aria-invalid") == "true"
        assert page.page.url == page.address
    for words, number in {" +2. ": "2", ".5": "0.5", "\u22121E1": "-10", "007": "7"}.items():
        type_in(page, "x", words)
        assert shown(page, "x")[::2] == [number, ""]
    assert page.page.get_by_label("x", exact=True).get_attribute("aria-invalid") == "false"


def test_the_first_number_may_be_none(read):
    numbers = {"x": [np.nan, np.inf], "y": [-np.inf, 1.0]}
    page = read(told(kinks, numbers))
    assert [shown(page, name)[0] for name in ("x[0]", "x[1]", "y[0]")] == ["nan", "inf", "-inf"]
    type_in(page, "y[1]", "2")
    page.page.locator("#slider").fill("1")
    expected = told(kinks, numbers | {"y": [-np.inf, 2.0]})
    assert page.at_each_step(ALL) == [*computed(expected)]


def test_keys_in_a_field_belong_to_it_and_others_to_the_page(read):
    page = read(told(neuron, NUMBERS[neuron]))
    page.page.get_by_label("w1, slider").focus()
    page.press("ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft")
    assert (shown(page, "w1"), page.number) == (["0.52", 52, ""], 1)
    page.press("Home")
    assert (shown(page, "w1")[1], page.number) == (-100, 1)
    page.press("p")
    assert page.page.locator("#ask").is_visible()
    page.press("p", "Tab")
    page.page.keyboard.type("f p 2")
    page.press("Home", "ArrowRight", " ", "End")
    assert page.number == 1
    assert page.page.locator("#play").text_content() == "Play"
    assert page("document.activeElement.value").count("f") == 1


def test_fingers(read):
    page = read(
        told(neuron, NUMBERS[neuron]), has_touch=True, viewport={"width": 400, "height": 800}
    )
    page.page.locator("#change summary").tap()
    slider = page.page.get_by_label("w1, slider")
    box = slider.bounding_box()
    page.page.touchscreen.tap(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    assert shown(page, "w1") == ["1", 100, ""]
    assert page.page.url == f"{page.address}#1&w1=1"
    page.page.locator("#reset").tap()
    assert shown(page, "w1") == ["0.5", 50, ""]


def test_reset(read):
    page = read(told(softmax, NUMBERS[softmax]), place="#3")
    reset = page.page.locator("#reset")
    assert reset.is_disabled()
    first = page(ALL)
    type_in(page, "z[1]", "3")
    type_in(page, "c[0]", "x")
    assert page(ALL) != first
    reset.click()
    assert page(ALL) == first
    assert [shown(page, name)[::2] for name in ("z[1]", "c[0]")] == [["-1", ""], ["1", ""]]
    assert page.page.url == f"{page.address}#3"
    assert reset.is_disabled()
    type_in(page, "z[1]", "3")
    type_in(page, "z[1]", "-1")  # by hand
    assert reset.is_disabled()
    assert page(ALL) == first


# The address.


def test_the_address_holds_the_numbers(read):
    page = read(told(softmax, NUMBERS[softmax]))
    type_in(page, "z[1]", "-2e-7")
    page.press("Tab")
    page.page.get_by_label("c[0], slider").fill("13")
    page.page.locator("#next").click()
    assert page.page.url == f"{page.address}#2&z[1]=-2e-7&c[0]=0.26"
    seen, link = page(ALL), page.page.url
    page.page.goto("about:blank")
    page.page.goto(link)
    assert page(ALL) == seen
    assert [shown(page, name)[0] for name in ("z[0]", "z[1]", "c[0]")] == ["0.5", "-2e-7", "0.26"]
    page("location.hash = '#3&z[0]=4'")
    page.page.wait_for_function("() => document.getElementById('slider').value === '3'")
    assert [shown(page, name)[0] for name in ("z[0]", "z[1]", "c[0]")] == ["4", "-1", "1"]
    assert page.page.url == f"{page.address}#3&z[0]=4"
    page.requests[:] = [page.address]


def test_names_in_an_address_can_be_read_back_whatever_they_are(read):
    name = "a&b=c #1%[0]<b>\u00e4"
    page = read(steps(named(name)))
    type_in(page, name, "0.5")
    seen, link = page(ALL), page.page.url
    assert "&a%26b%3Dc%20%231%25[0]%3Cb%3E%C3%A4=0.5" in link
    page.page.goto("about:blank")
    page.page.goto(link)
    assert page(ALL) == seen
    page.requests[:] = [page.address]


def named(name):
    x = Tensor(2.0, requires_grad=True, name=name)
    return x * x


def test_addresses_of_other_pages_change_nothing(read):
    page = read(told(softmax, NUMBERS[softmax]))
    first = page.at_each_step(ALL)[1]
    for place in (
        "z[0]=abc",
        "z[9]=1&w=2&__proto__=3&constructor=4",
        "%E0%A4%A=3&z[0]=%",
        "z[0]=1e999&=5&z[0]&&&=&z[0]==",
        "z[0]=<img src=x onerror='window.hacked = 1'>",
        "z[0]=javascript:window.hacked=1",
    ):
        page.page.goto("about:blank")
        page.page.goto(f"{page.address}#2&{place}")
        assert page(ALL) == first
        assert page.number == 2
    assert page("window.hacked") is None
    page.requests[:] = [page.address]


def test_in_a_frame_without_an_address(browser):
    page = browser.new_page()
    page.set_content(told(neuron, NUMBERS[neuron])._repr_mimebundle_()["text/html"])
    frame = page.frame_locator("iframe")
    field = frame.get_by_label("w1", exact=True)
    field.fill("8")
    field.press("Enter")
    assert frame.locator("#steps > li:visible .result").text_content() == "= 8"
    page.close()


def test_hostile_names_of_fields_run_nothing(read):
    names = ["</script><script>window.hacked = 1</script>", "<img src=x onerror='window.hacked=1'>"]
    x, y = (Tensor([1.0, 2.0], requires_grad=True, name=name) for name in names)
    page = read(steps((x * y).sum()))
    for name in names:
        type_in(page, f"{name}[1]", "3")
        type_in(page, f"{name}[0]", names[1])
    for _ in page.told:
        page.press("ArrowRight")
    page.page.reload()
    assert shown(page, f"{names[0]}[1]")[0] == "3"
    assert page("window.hacked") is None
    assert page.page.locator("script").count() == 3
    assert page.page.locator("img").count() == 0


# Predict first.

HIDDEN = """() => [
    [...document.querySelectorAll("#steps > li:not([hidden]) .result")],
    [...document.querySelectorAll("svg text:not(.unknown)")]
        .filter((text) => text.textContent.includes("?")),
].map((parts) => parts.map((part) => part.textContent))"""


def test_what_a_step_gives_is_hidden_until_asked(read):
    page = read(told(diamond, NUMBERS[diamond]))
    page.page.click("#predict")
    for step in page.told:
        results = [each.expressions[-1] for each in step.derivations]
        assert page("document.getElementById('slider').value") == str(step.number)
        if step.phase == "seed":
            assert page(HIDDEN)[1] == []
            page.press("ArrowRight")
            continue
        nodes = len({*step.tensor.args}) if step.phase == "backward" else 1
        words = "grad ?" if step.phase == "backward" else "?"
        assert page(HIDDEN) == [["= ?"] * len(results), [words] * nodes]
        assert page.page.locator("#steps .note:visible").count() == 0
        page.press("ArrowRight")  # shows it
        assert page(HIDDEN) == [[f"= {each}" for each in results], []]
        page.press("ArrowRight")
    assert page.page.locator("#predict").get_attribute("aria-pressed") == "true"
    page.page.locator("#slider").fill("2")
    page.page.click("#show")
    assert page(HIDDEN) == [["= -27"], []]
    page.press("ArrowLeft")
    assert page(HIDDEN) == [["= ?"], ["?"]]
    page.press("p")
    assert page(HIDDEN) == [["= 9"], []]


def test_a_guess_is_judged(read):
    page = read(told(diamond, NUMBERS[diamond]), place="#3&x=0.3")
    page.press("p")
    for guess, verdict in {
        "0.3": "v3: 0.3 is too large, by 0.183",
        "-1": "v3: -1 is too small, by 1.12",
        "0.117": "v3: 0.117 is right",
        "0.11703": "v3: 0.11703 is right",
        "two": 'v3: "two" is no number',
    }.items():
        page.page.get_by_label("v3 =").fill(guess)
        page.press("Enter")
        assert page.page.locator("#guesses").text_content() == verdict
        page.press("p", "p")
    page.page.click("#show")
    assert not page.page.locator("#ask").is_visible()


def test_nothing_tells_what_is_asked_while_numbers_change(read):
    page = read(told(diamond, NUMBERS[diamond]))
    page.press("p")
    type_in(page, "x", "5")
    assert page(HIDDEN) == [["= ?"], ["?"]]
    assert said(page) == ""
    assert "25" not in page("document.getElementById('panel').innerText")
    page.page.click("#show")
    assert page(HIDDEN) == [["= 25"], []]
    type_in(page, "x", "6")
    assert page(HIDDEN) == [["= 36"], []]


def test_playing_shows_each_result_before_it_goes_on(read):
    page = read(told(diamond, NUMBERS[diamond]), clock=True)
    page.press("p", " ")
    page.page.clock.run_for(1600)
    assert (page.number, page(HIDDEN)) == (1, [["= 9"], []])
    page.page.clock.run_for(1500)
    assert (page.number, page(HIDDEN)) == (2, [["= ?"], ["?"]])


# For everybody.


def test_every_control_has_a_name_of_its_own(read):
    page = read(told(neuron, NUMBERS[neuron]), place="#7")
    page.press("p")
    names = page(
        """() => [...document.querySelectorAll("button, input, [role=group], section, summary")]
            .filter((control) => control.checkVisibility())
            .map((control) => control.getAttribute("aria-label")
                || [...(control.labels ?? [])].map((label) => label.innerText.trim()).join()
                || control.innerText)"""
    )
    assert all(names)
    assert len(set(names)) == len(names) - 1  # a group and its button are called Predict first
    assert {"w1", "w1, slider", "dv5/dv4 =", "Show", "Reset", "Numbers to change"} <= set(names)


def test_a_slider_that_moves_is_not_read_out_as_a_whole(read):
    page = read(told(neuron, NUMBERS[neuron]))
    slider = page.page.get_by_label("w1, slider")
    slider.evaluate("(slider) => { slider.value = 60; slider.dispatchEvent(new Event('input')); }")
    assert page("document.getElementById('panel').getAttribute('aria-live')") == "off"
    assert said(page) == ""
    assert slider.get_attribute("aria-valuetext") == "0.6"
    slider.evaluate("(slider) => slider.dispatchEvent(new Event('change'))")
    assert said(page) == "v1 = 0.6"
    page.press("ArrowRight")
    assert page("document.getElementById('panel').getAttribute('aria-live')") == "polite"


INSIDE = """() => [...document.querySelectorAll("svg .node text")].filter((text) => {
    const outline = text.closest(".node").querySelector("polygon, path");
    const [inner, outer] = [text, outline].map((part) => part.getBoundingClientRect());
    return inner.left < outer.left || inner.right > outer.right;
}).map((text) => text.textContent)"""
PLACES = """() => ["#numbers", "#panel", "svg", "svg .node > :is(polygon, path)"]
    .flatMap((kind) => [...document.querySelectorAll(kind)])
    .map((part) => part.getBoundingClientRect())
    .flatMap((box) => [box.x, box.y, box.width, box.height])"""


@pytest.mark.parametrize("width", [1200, 400])
@pytest.mark.parametrize("build", [neuron, broadcasting, classes, rectified])
def test_nothing_jumps_and_everything_stays_inside(read, build, width):
    passes = told(build, NUMBERS[build])
    page = read(passes, f"#{len(passes)}", viewport={"width": width, "height": 800})
    page("document.getElementById('change').open = true")
    places = page(PLACES)
    for x in -1.23456e-5, -123456.7, 9e99, -0.001234, 0.0:
        fill(page, {name: np.full(np.shape(x_), x) for name, x_ in NUMBERS[build].items()})
        assert page(INSIDE) == []
        assert page(PLACES) == places
    screen = page("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert screen == [width, 800]


def test_a_page_of_two_hundred_numbers_is_small(read):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 2)), rng.integers(0, 2, 8)
    first, second = nn.Linear(2, 3, rng=0), nn.Linear(3, 2, rng=1)
    passes = steps(losses.cross_entropy(second(np.tanh(first(x))), y))
    assert sum(np.size(getattr(m, "data", m)) for m in passes._graph.members) >= 200
    page = read(passes)
    assert len(passes.html().encode("utf-8")) < 150_000
    type_in(page, "bias[1]", "2")
    first.bias.data = np.where([0, 1, 0], 2.0, first.bias.data)
    anew = steps(losses.cross_entropy(second(np.tanh(first(x))), y))
    assert page.at_each_step(ALL) == [*computed(anew)]
