"""Modules find their parameters, and layers compute what they say."""

import abc
import itertools
import pickle
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_edu import Tensor, data, grad, nn, no_grad, optim
from tinygrad_edu.functional import relu, sigmoid
from tinygrad_edu.testing import check_grads

RNG = np.random.default_rng(0)
SIZES = st.integers(1, 4)


@settings(max_examples=30)
@given(SIZES, SIZES, SIZES, st.booleans())
def test_linear_is_an_affine_map(n, inputs, outputs, one):
    def scores(x, weight, bias):
        linear = nn.Linear(inputs, outputs)
        linear.weight, linear.bias = weight, bias
        return linear(x)

    x = RNG.normal(size=inputs if one else (n, inputs))
    weight, bias = RNG.normal(size=(outputs, inputs)), RNG.normal(size=outputs)
    check_grads(
        scores, x, weight, bias, reference=lambda x, w, b: np.einsum("...i,oi->...o", x, w) + b
    )


def test_linear_of_lists_arrays_and_tensors():
    linear = nn.Linear(3, 2, rng=0)
    expected = linear.weight.data @ [1, 2, 3] + linear.bias.data
    for x in [1, 2, 3], np.array([1, 2, 3]), Tensor([1.0, 2.0, 3.0]):
        np.testing.assert_allclose(linear(x).data, expected, rtol=1e-14)
    assert linear([[1.0, 2.0, 3.0]]).shape == (1, 2)
    assert linear(np.ones((5, 4, 3))).shape == (5, 4, 2)
    assert linear(np.ones((0, 3))).shape == (0, 2)


def test_linear_without_bias():
    linear = nn.Linear(3, 2, bias=False, rng=0)
    assert linear.bias is None
    assert [name for name, _ in linear.named_parameters()] == ["weight"]
    np.testing.assert_array_equal(linear(np.eye(3)).data, linear.weight.data.T)


def test_weights_start_uniform_within_their_bound():
    linear = nn.Linear(400, 300, rng=0)
    bound = 1 / 20
    for values in linear.weight.data, linear.bias.data:
        assert 0.95 * bound < values.max() <= bound
        assert -bound <= values.min() < -0.95 * bound
        assert abs(values.mean()) < 0.1 * bound
        np.testing.assert_allclose(values.std(), bound / np.sqrt(3), rtol=0.1)


def test_seeds_reproduce_weights():
    def weights(rng):
        return nn.Linear(3, 2, rng=rng).state_dict()["weight"].tolist()

    assert weights(0) == weights(0) == weights(np.random.default_rng(0))
    assert weights(0) != weights(1)
    assert weights(None) != weights(None)
    rng = np.random.default_rng(0)
    assert weights(rng) != weights(rng)


def test_linear_in_float32():
    linear = nn.Linear(3, 2, rng=0, dtype=np.float32)
    assert [p.dtype for p in linear.parameters()] == [np.float32, np.float32]
    assert linear(np.ones((2, 3), np.float32)).dtype == np.float32
    assert linear([1, 2, 3]).dtype == np.float32
    linear(np.ones((2, 3))).sum().backward()
    assert linear.weight.grad.dtype == np.float32


def test_repr_tells_the_layers():
    model = nn.Sequential(nn.Linear(2, 8), relu, nn.Linear(8, 1, bias=False))
    assert repr(model) == "Sequential(Linear(2, 8), relu, Linear(8, 1))"

    class Line(nn.Module):
        def __init__(self):
            self.slope = Tensor([1.0, 2.0], requires_grad=True)

    assert repr(Line()) == "Line(slope (2,))"


def test_linear_refusals():
    for sizes in (0, 2), (2, 0), (-1, 2):
        with pytest.raises(ValueError, match=rf"Linear\({sizes[0]}, {sizes[1]}\).*at least 1"):
            nn.Linear(*sizes)
    for sizes in (2.5, 1), (1, "2"), (None, 1), (1, [2]):
        with pytest.raises(TypeError, match="two sizes, each an integer, but got"):
            nn.Linear(*sizes)
    for sizes in (10**30, 2), (2, 2**62):
        with pytest.raises(ValueError, match=rf"Linear\({sizes[0]}, {sizes[1]}\) is larger than"):
            nn.Linear(*sizes)
    with pytest.raises(TypeError, match="bias is True or False, but got int; a seed is rng=0"):
        nn.Linear(3, 2, 0)
    assert nn.Linear(np.int64(3), 2, bias=np.False_, rng=0).bias is None
    with pytest.raises(TypeError, match="cannot require a gradient"):
        nn.Linear(2, 1, dtype=int)
    with pytest.raises(ValueError, match=r"takes inputs \(N, 3\), but got shape \(5, 2\)"):
        nn.Linear(3, 2)(np.ones((5, 2)))


class Net(nn.Module):
    def __init__(self):
        self.scale = Tensor(2.0, requires_grad=True)
        self.first = nn.Linear(2, 3, rng=0)
        self.blocks = [nn.Linear(3, 3, bias=False, rng=1), {"deep": (Tensor([1.0], True), 5)}]
        self.tied = self.first.weight
        self.again = self.blocks
        self.constant = Tensor([1.0, 2.0])
        self.note, self.size, self.missing, self.itself = "text", 3, None, self
        self.last = nn.Sequential(relu, nn.Linear(3, 1, rng=2))


NAMES = [
    "scale",
    "first.weight",
    "first.bias",
    "blocks.0.weight",
    "blocks.1.deep.0",
    "last.1.weight",
    "last.1.bias",
]
KEPT = [  # what is not learned, and further names of what is, too
    *NAMES[:5],
    "tied",
    "again.0.weight",
    "again.1.deep.0",
    "constant",
    *NAMES[5:],
]


def test_parameters_are_named_by_their_path_in_order_each_once():
    net = Net()
    named = list(net.named_parameters())
    assert [name for name, _ in named] == NAMES
    assert named[0][1] is net.scale
    assert named[1][1] is net.first.weight
    assert named[4][1] is net.blocks[1]["deep"][0]
    assert [id(p) for p in net.parameters()] == [id(p) for _, p in named]


def test_parameters_assigned_later_are_found_and_frozen_ones_are_not():
    net = nn.Linear(2, 1)
    net.temperature = Tensor(1.0, requires_grad=True)
    net.bias.requires_grad = False
    assert [name for name, _ in net.named_parameters()] == ["weight", "temperature"]


def test_results_that_forward_keeps_are_no_parameters():
    class Keeping(nn.Linear):
        def forward(self, x):
            self.scores = super().forward(x)
            return self.scores

    keeping = Keeping(2, 1)
    keeping([1.0, 2.0])
    assert [name for name, _ in keeping.named_parameters()] == ["weight", "bias"]


def test_module_without_parameters():
    assert nn.Module().parameters() == []
    assert nn.Module().state_dict() == {}


def test_module_without_forward():
    with pytest.raises(NotImplementedError, match="Net has no forward method: define one"):
        Net()([1.0])


def test_calling_a_module_passes_everything_to_forward():
    class Scaled(nn.Module):
        def forward(self, x, *, by=1):
            return x * by

    assert Scaled()(3, by=2) == 6


def test_sequential_applies_modules_and_functions_in_order():
    first, second = nn.Linear(2, 3, rng=0), nn.Linear(3, 1, rng=1)
    x = RNG.normal(size=(5, 2))
    model = nn.Sequential(first, sigmoid, nn.Sequential(second, relu), lambda x: x * 10)
    np.testing.assert_array_equal(model(x).data, (relu(second(sigmoid(first(x)))) * 10).data)
    names = [name for name, _ in model.named_parameters()]
    assert names == ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]
    assert nn.Sequential()(x) is x


def test_sequential_of_more_than_ten_layers_keeps_their_order():
    steps = [lambda s, i=i: f"{s} {i}" for i in range(12)]
    assert nn.Sequential(*steps)("") == " 0 1 2 3 4 5 6 7 8 9 10 11"


def test_sequential_with_an_attribute_of_ones_own():
    model = nn.Sequential(lambda x: x + 1)
    model.note = "trained"
    assert model(1) == 2


def test_sequential_refuses_what_cannot_be_called():
    for wrong in 3, None, [relu], Tensor(1.0):
        with pytest.raises(TypeError, match="Sequential takes modules and functions, but got"):
            nn.Sequential(relu, wrong)


def test_all_parameters_get_gradients_and_lose_them():
    model = nn.Sequential(nn.Linear(2, 3, rng=0), sigmoid, nn.Linear(3, 1, rng=1))
    model(np.ones((4, 2))).sum().backward()
    assert [p.grad.shape for p in model.parameters()] == [p.shape for p in model.parameters()]
    model.zero_grad()
    assert [p.grad for p in model.parameters()] == [None] * 4


# Saving and loading.


def unchanged(net, before):
    return all(np.array_equal(value, before[name]) for name, value in net.state_dict().items())


def test_state_is_a_copy():
    net = Net()
    state = net.state_dict()
    assert list(state) == KEPT
    assert all(type(value) is np.ndarray for value in state.values())
    before = net.state_dict()
    for value in state.values():
        value[...] = 7
    assert unchanged(net, before)


def test_state_goes_from_one_model_to_another():
    source, target = nn.Linear(3, 2, rng=0), nn.Linear(3, 2, rng=1)
    state, weight = source.state_dict(), target.weight
    target.load_state_dict(state)
    assert target.weight is weight
    np.testing.assert_array_equal(target(np.eye(3)).data, source(np.eye(3)).data)
    state["weight"][:] = 7
    assert unchanged(target, source.state_dict())


def test_loading_keeps_the_dtype_and_takes_lists_and_shared_parameters():
    linear = nn.Linear(2, 1, dtype=np.float32)
    linear.load_state_dict({"bias": [3], "weight": np.array([[1.0, 2.0]])})
    assert linear.weight.dtype == linear.bias.dtype == np.float32
    assert linear([1, 1]).data.tolist() == [6]
    net, other = Net(), Net()
    other.scale.data -= 1
    net.load_state_dict(other.state_dict())
    assert unchanged(net, other.state_dict())
    assert net.tied is net.first.weight


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"blocks.0.weight": None}, KeyError, "missing: blocks.0.weight; unknown: none"),
        ({"extra": 1.0}, KeyError, "missing: none; unknown: extra"),
        ({"scale": None, "Scale": 1.0}, KeyError, "missing: scale; unknown: Scale"),
        ({"last.1.bias": [1.0, 2.0]}, ValueError, r"last.1.bias has shape \(1,\).*\(2,\)"),
        ({"last.1.bias": [[1.0]]}, ValueError, r"last.1.bias has shape \(1,\).*\(1, 1\)"),
        ({"last.1.bias": 1.0}, ValueError, r"last.1.bias has shape \(1,\)"),
        ({"last.1.bias": ["text"]}, (TypeError, ValueError), "last.1.bias"),
        ({"last.1.bias": [1j]}, (TypeError, ValueError), "last.1.bias"),
    ],
)
def test_nothing_has_changed_after_loading_failed(changes, error, message):
    net = Net()
    before = net.state_dict()
    state = {name: value + 1 for name, value in before.items()} | changes
    state = {name: value for name, value in state.items() if value is not None}
    with pytest.raises(error) as refusal:
        net.load_state_dict(state)
    assert unchanged(net, before)
    refusal.match(message)


@pytest.mark.parametrize("state", [None, [1.0], "text", np.ones(2), nn.Linear(2, 1)])
def test_loading_takes_names_and_arrays(state):
    with pytest.raises(
        TypeError, match=r"load\(path\) and model\.state_dict\(\) give them, but got"
    ):
        nn.Linear(2, 1).load_state_dict(state)
    with pytest.raises(KeyError, match="missing: weight, bias; unknown: 5"):
        nn.Linear(2, 1).load_state_dict({5: state})


def test_missing_names_are_listed_in_order():
    model = nn.Sequential(*[nn.Linear(1, 1) for _ in range(4)])
    names = ", ".join(name for name, _ in model.named_parameters())
    with pytest.raises(KeyError, match=f"missing: {names}; unknown: none"):
        model.load_state_dict({})


class Normalized(nn.Module):
    """A frozen first layer, and numbers that it keeps without learning them."""

    def __init__(self, seed):
        self.frozen = nn.Linear(2, 3, rng=seed)
        for parameter in self.frozen.parameters():
            parameter.requires_grad = False
        self.mean = Tensor(np.full(3, float(seed)))
        self.steps = np.zeros(2)
        self.head = nn.Linear(3, 1, rng=seed + 1)

    def forward(self, x):
        return self.head(self.frozen(x) - self.mean)


def test_what_is_not_learned_is_saved_and_loaded_too():
    source, target = Normalized(0), Normalized(1)
    x = np.ones((4, 2))
    assert not np.array_equal(source(x).data, target(x).data)
    state = source.state_dict()
    assert list(state) == ["frozen.weight", "frozen.bias", "mean", "head.weight", "head.bias"]
    target.load_state_dict(state)
    np.testing.assert_array_equal(source(x).data, target(x).data)
    assert [name for name, _ in target.named_parameters()] == ["head.weight", "head.bias"]
    assert list(Normalized(2).frozen.state_dict()) == ["weight", "bias"]


def test_pretrained_weights_go_into_a_frozen_model():
    pretrained, frozen = nn.Linear(2, 1, rng=0), nn.Linear(2, 1, rng=1)
    for parameter in frozen.parameters():
        parameter.requires_grad = False
    frozen.load_state_dict(pretrained.state_dict())
    np.testing.assert_array_equal(frozen.weight.data, pretrained.weight.data)


def test_two_parts_of_one_name_are_refused():
    net = nn.Module()
    net.parts = {1: Tensor(1.0, requires_grad=True), "1": Tensor(2.0, requires_grad=True)}
    for ask in (net.state_dict, net.parameters, lambda: net.load_state_dict({"parts.1": 0.0})):
        with pytest.raises(ValueError, match=r"two parts of Module have the name 'parts\.1'"):
            ask()


def test_tied_weights_are_saved_under_both_names_and_refused_if_they_differ():
    net = nn.Module()
    net.encoder = net.decoder = Tensor([1.0, np.nan], requires_grad=True)
    state = net.state_dict()
    assert list(state) == ["encoder", "decoder"]
    net.load_state_dict(state)
    net.load_state_dict({"encoder": [3.0, 4.0], "decoder": [3.0, 4.0]})
    assert net.encoder.data.tolist() == [3.0, 4.0]
    with pytest.raises(ValueError, match="encoder and decoder are one Tensor, but"):
        net.load_state_dict({"encoder": [5.0, 4.0], "decoder": [3.0, 4.0]})
    assert net.encoder.data.tolist() == [3.0, 4.0]
    assert len(net.parameters()) == 1


def test_a_result_is_no_parameter_and_says_so_when_it_is_assigned():
    class Small(nn.Module):
        def __init__(self, scaled):
            self.weight = Tensor(np.ones((2, 1)), requires_grad=True) * 0.01 if scaled else None
            self.bias = Tensor([0.0], requires_grad=True)

    with pytest.raises(TypeError, match=r"Small\.weight would be the result of mul.*Tensor\(0\."):
        Small(scaled=True)
    small = Small(scaled=False)
    small.weight = Tensor(0.01 * np.ones((2, 1)), requires_grad=True)  # as the message says
    assert [name for name, _ in small.named_parameters()] == ["weight", "bias"]
    small.last = (small.weight * 2).detach()


def test_a_result_does_not_take_the_place_of_a_parameter():
    linear = nn.Linear(2, 1)
    with pytest.raises(TypeError, match=r"Linear\.weight would be the result of multiply"):
        linear.weight = linear.weight * 0.5
    assert len(linear.parameters()) == 2


@pytest.mark.parametrize("run", [lambda m, x: m(x), lambda m, x: m.forward(x)])
def test_results_may_be_kept_once_a_module_is_built(run):
    class Keeping(nn.Linear):
        def forward(self, x):
            self.hidden = super().forward(x)
            return self.hidden

    keeping = Keeping(2, 1)
    assert run(keeping, [1.0, 2.0]) is keeping.hidden
    keeping.last = run(keeping, [1.0, 2.0])
    for module in keeping, pickle.loads(pickle.dumps(nn.Linear(2, 1))):
        module.note = keeping.hidden * 2
        assert list(module.state_dict()) == ["weight", "bias"]


def test_a_module_may_have_abstract_methods():
    class Base(nn.Module, abc.ABC):
        @abc.abstractmethod
        def forward(self, x): ...

    with pytest.raises(TypeError, match="abstract"):
        Base()


def test_results_may_be_kept_in_forward_and_in_what_is_differentiated():
    class Outer(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(2, 1, rng=0)

        def forward(self, x):
            self.hidden = self.inner(x)
            return self.hidden

    outer = Outer()
    assert outer([1.0, 2.0]) is outer.hidden
    assert list(outer.state_dict()) == ["inner.weight", "inner.bias"]

    def loss(weight):
        outer.inner.weight = weight * 1.0
        return outer([1.0, 2.0]).sum()

    np.testing.assert_array_equal(grad(loss)(np.ones((1, 2))), [[1.0, 2.0]])


@pytest.mark.parametrize("value", [np.zeros((1, 2)), 0.0, [0.0, 0.0]], ids=repr)
def test_a_parameter_does_not_vanish_without_a_word(value):
    linear = nn.Linear(2, 1)
    with pytest.raises(TypeError, match=r"Linear\.weight is a parameter.*\.weight\.data = \.\.\."):
        linear.weight = value
    assert len(linear.parameters()) == 2
    linear.weight.data = np.zeros((1, 2))  # as the message says
    linear.bias = None
    assert [name for name, _ in linear.named_parameters()] == ["weight"]
    linear.weight = Tensor(np.ones((1, 2)), requires_grad=True)
    assert linear([1.0, 1.0]).data.tolist() == [2.0]


# What would be lost without a word: where a module does not look.


def parameter(size=2):
    return Tensor(np.ones(size), requires_grad=True)


def module_with(make):
    """A class of modules whose __init__ assigns what ``make`` gives."""

    class Net(nn.Module):
        def __init__(self):
            self.weight = parameter()
            self.parts = make(self)

    return Net


RESULTS = [
    lambda net: [net.weight * 0.01],
    lambda net: (net.weight, net.weight * 0.01),
    lambda net: {"a": [net.weight, {"b": net.weight * 0.01}]},
]


@pytest.mark.parametrize("make", RESULTS)
def test_results_in_collections_are_refused_while_a_module_is_built(make):
    with pytest.raises(TypeError, match=r"Net\.parts\.\S+ would be the result of mul") as refusal:
        module_with(make)()
    assert "self.parts = make(self)" in str(refusal.traceback[-3].statement)
    net = module_with(lambda _: None)()
    net.parts = make(net)  # later they may be kept
    assert len(net.parameters()) == 1
    leaf = module_with(lambda _: [Tensor(0.01 * np.ones(2), requires_grad=True)])()
    assert len(leaf.parameters()) == 2  # as the message says


def test_results_appended_to_a_list_are_refused_when_the_module_is_built():
    class Net(nn.Module):
        def __init__(self):
            self.layers = []
            self.layers.append(parameter() * 0.01)

    with pytest.raises(TypeError, match=r"Net\.layers\.0 would be the result of multiply"):
        Net()


def test_results_may_stand_for_parameters_in_what_is_differentiated():
    def loss(w):
        return module_with(lambda _: [w * 1.0])().parts[0].sum()

    np.testing.assert_array_equal(grad(loss)(np.ones(2)), np.ones(2))


LOST = [
    (lambda _: {parameter()}, "of type set, .*a list", lambda x: list(x)),
    (lambda _: frozenset([nn.Linear(2, 2)]), "of type frozenset, .*a list", lambda x: list(x)),
    (lambda _: deque([parameter()]), "of type deque, .*a list", lambda x: list(x)),
    (
        lambda _: [np.array([nn.Linear(2, 2), None])],
        "0 is of type ndarray, .*a list",
        lambda x: list(x[0]),
    ),
    (lambda _: (nn.Linear(2, 2) for _ in "ab"), r"generator.*list\(", lambda x: list(x)),
    (lambda _: [map(nn.Linear, [2, 2], [2, 2])], r"map.*list\(", lambda x: list(x[0])),
]


@pytest.mark.parametrize(("make", "message", "instead"), LOST)
def test_collections_in_which_nothing_is_found_are_refused(make, message, instead):
    with pytest.raises(TypeError, match=f"Net\\.parts.*{message}"):
        module_with(make)()
    assert len(module_with(lambda net: instead(make(net)))().parameters()) > 1


def test_a_set_is_refused_whenever_parameters_are_asked_for():
    net = nn.Linear(2, 1)
    net.more = {"inner": {parameter()}}
    for ask in net.parameters, net.state_dict, net.zero_grad:
        with pytest.raises(TypeError, match=r"^more\.inner is of type set"):
            ask()


def test_what_belongs_to_the_class_is_refused():
    class Net(nn.Module):
        w = parameter()

    class More(nn.Module):
        layers = (nn.Linear(2, 2), nn.Linear(2, 2))

    class Inherits(Net):
        pass

    for kind, name in (Net, "Net.w"), (More, "More.layers"), (Inherits, "Net.w"):
        with pytest.raises(TypeError, match=rf"^{name} belongs to the class.*write self\."):
            kind()

    class Right(Net):
        def __init__(self):
            self.w = parameter()  # as the message says

    assert len(Right().parameters()) == 1


def test_what_an_object_that_is_no_module_holds_is_refused():
    class Block:
        def __init__(self):
            self.w = parameter()

    @dataclass
    class Pair:
        layers: list = field(default_factory=lambda: [nn.Linear(2, 2)])

    for kind, inner in (Block, "w"), (Pair, "layers"):
        text = (
            rf"parts is of type {kind.__name__}, which is no nn.Module, so that its {inner} would"
        )
        with pytest.raises(TypeError, match=text):
            module_with(lambda _, kind=kind: kind())()

    class BlockModule(nn.Module):  # as the message says
        def __init__(self):
            self.w = parameter()

    assert len(module_with(lambda _: BlockModule())().parameters()) == 2


class Holder:
    """An object that knows some parts of a module."""

    def __init__(self, *parts):
        self.parts = parts
        self.first = parts[0] if parts else None


@pytest.mark.parametrize(
    "make",
    [
        lambda net: optim.SGD(net.parameters(), lr=0.1),
        lambda net: Holder(net, net.weight),
        lambda _: Holder(Tensor([1.0]), 5),
        lambda _: {"names", 3, None},
        lambda _: deque([np.ones(2)], maxlen=3),
        lambda _: np.array(["a", None], dtype=object),
        lambda _: np.random.default_rng(0),
        lambda _: itertools.count(),
        lambda _: data.minibatches(np.ones((4, 2)), batch_size=2),
        lambda _: OrderedDict(a=parameter()),
        lambda _: MappingProxyType({"a": 1}),
        lambda _: lambda x: x,
        lambda _: type("Holder", (), {"w": parameter()}),
        lambda _: relu,
        lambda net: [net.weight, net],
        lambda net: {"detached": (net.weight * 2).detach()},
    ],
)
def test_what_loses_nothing_is_no_reason_to_refuse(make):
    net = module_with(make)()
    assert net.parameters()[0] is net.weight
    with no_grad():
        net.last = [net.weight * 2]
    net.state_dict()


def test_a_list_that_contains_itself_is_no_trouble():
    loop = [parameter()]
    loop.append(loop)
    assert len(module_with(lambda _: loop)().parameters()) == 2


def test_what_is_frozen_may_be_hidden():
    teacher = nn.Linear(2, 1)
    for part in teacher.parameters():
        part.requires_grad = False
    assert len(module_with(lambda _: Holder(teacher))().parameters()) == 1
