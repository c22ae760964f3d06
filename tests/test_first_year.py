"""Mistakes of a first year: what each is answered contains the next line, which works.

They are written as students type them, who know a little of PyTorch; ``demos/mistakes.py`` has
those that everybody makes, each with its words.
"""

import pytest

import tinygrad_edu
from demos.mistakes import Mistake, correct, message, refusal

BEFORE = """
import tinygrad_edu
from tinygrad_edu import data, functional, grad, hessian, jacobian, load, save
b = Tensor(0.5, requires_grad=True, name="b")
model = nn.Linear(3, 2, rng=0)
sgd = optim.SGD([w], lr=0.1)
X = [[1.0, 0.0, 2.0], [0.5, 1.0, 1.0]]
labels = np.array([0, 1])
def f(t):
    return (t * t).sum()
"""

# What is typed, what the answer says, and the line that it leads to.
TABLE = [
    # making Tensors
    ("from tinygrad_edu import Value", "write Tensor(2.0, requires_grad=True)", "Tensor(2.0)"),
    ("tinygrad_edu.tensor([1.0])", "write Tensor([1.0])", "Tensor([1.0])"),
    ("tinygrad_edu.randn(2, 3)", "standard_normal((2, 3))", "Tensor(np.ones((2, 3)))"),
    ("Tensor.zeros(3)", "write Tensor(np.zeros((2, 3)))", "Tensor(np.zeros(3))"),
    ("Tensor(1.0, 2.0)", "makes a list: Tensor([1.0, 2.0])", "Tensor([1.0, 2.0])"),
    ("Tensor([[1.0], [2.0, 3.0]])", "rows of one length", "Tensor([[1.0, 0.0], [2.0, 3.0]])"),
    ("Tensor(['1.5', '2'])", "np.array(data, dtype=float)", "np.array(['1.5', '2'], dtype=float)"),
    ("Tensor(1, requires_grad=True)", "Write 3.0 instead of 3", "Tensor(1.0, requires_grad=True)"),
    ("Tensor(w)", "Use it as it is", "w"),
    ("Tensor(print())", "lacks a return: write one", "Tensor(1.0)"),
    ("w.requires_grad_()", "write t.requires_grad = True", "w.requires_grad = True"),
    # computing
    ("w.pow(2)", "write a ** b", "w ** 2"),
    ("w.mm(w)", "write a @ b", "w @ w"),
    ("w.t()", "write t.T", "w.T"),
    ("w.clamp(0, 1)", "write np.clip(t, low, high)", "np.clip(w, 0, 1)"),
    ("w.view(3, 1)", "write t.reshape(...)", "w.reshape(3, 1)"),
    ("w.mean(dim=0)", "t.sum(axis=0) for t.sum(dim=0)", "w.mean(axis=0)"),
    ("w.sum(0, keepdim=True)", "t.sum(0, keepdims=True)", "w.sum(0, keepdims=True)"),
    ("softmax(w, dim=0)", "t.sum(axis=0) for t.sum(dim=0)", "softmax(w, axis=0)"),
    ("w.argmax(dim=0)", "t.sum(axis=0) for t.sum(dim=0)", "w.argmax(axis=0)"),
    ("w.relu()", "write functional.relu(t)", "functional.relu(w)"),
    ("functional.tanh(w)", "write np.tanh(t)", "np.tanh(w)"),
    ("import math\nmath.exp(w)", "as in np.exp(t)", "np.exp(w)"),
    ("x @ Tensor(np.ones((2, 3)))", "a @ b.T", "x @ Tensor(np.ones((2, 3))).T"),
    ("w + Tensor([1.0, 2.0])", "'w' is (3,)", "w + Tensor([1.0, 2.0, 3.0])"),
    ("len(w.sum())", "np.reshape(t, 1)", "np.reshape(w.sum(), 1)"),
    ("['a', 'b'][Tensor(1.0)]", "Write int(t)", "['a', 'b'][int(Tensor(1.0))]"),
    ("w.astype(int)", "Write t.detach().astype(np.int64)", "w.detach().astype(np.int64)"),
    ("w.to('cpu')", "all is on the CPU", "w"),
    # differentiating
    ("(x @ w).backward()", "t.mean().backward()", "(x @ w).mean().backward()"),
    ("Tensor(3.0).backward()", "Tensor(..., requires_grad=True)", "b.backward()"),
    ("grad(f(w))", "It returns a function: write grad(f)(2.0)", "grad(f)(w)"),
    ("grad(f)(t=w)", "give it without a name", "grad(f)(w)"),
    ("grad(f)(3)", "Write 3.0 instead of 3", "grad(f)(3.0)"),
    ("grad(lambda t: t * t)(w)", "Reduce it, as in y.sum()", "grad(lambda t: (t * t).sum())(w)"),
    ("grad(lambda t: float(t) ** 2)(2.0)", "Use it as it is", "grad(lambda t: t ** 2)(2.0)"),
    ("grad(lambda t: print(t))(2.0)", "it has no return", "grad(f)(2.0)"),
    (
        "grad(lambda p: f(p['w']))({'w': w})",
        "argnums=(0,))(*d.values())",
        "d = {'w': w}\ngrad(lambda *p: f(dict(zip(d, p))['w']), argnums=(0,))(*d.values())",
    ),
    (
        "grad(lambda u, v: f(u) + f(v), [0, 1])(2.0, 3.0)",
        "argnums=(0, 1)",
        "grad(lambda u, v: f(u) + f(v), argnums=(0, 1))(2.0, 3.0)",
    ),
    ("w.grad = 0", "write w.zero_grad()", "w.zero_grad()"),
    ("(w * 2).grad", "print(draw(loss))", "print(draw((w * 2).sum()))"),
    (
        "@no_grad\ndef g():\n    return w * 2",
        '"@no_grad()"',
        "@no_grad()\ndef g():\n    return w * 2",
    ),
    # models, losses and learning
    ("nn.MLP(3, [4, 1])", "nn.Sequential(nn.Linear(3, 4)", "nn.Sequential(nn.Linear(3, 1))"),
    ("nn.Linear(2.5, 1)", "write n // 2 for n / 2", "nn.Linear(5 // 2, 1)"),
    ("nn.Linear(x.shape, 1)", "x.shape[1] for x.shape", "nn.Linear(x.shape[1], 1)"),
    ("nn.Sequential([model])", "nn.Sequential(*layers)", "nn.Sequential(*[model])"),
    (
        "nn.CrossEntropyLoss()",
        "write losses.cross_entropy(",
        "losses.cross_entropy(model(x), labels)",
    ),
    ("losses.mse(x @ w, y)", "write losses.mse_loss(", "losses.mse_loss(x @ w, y)"),
    ("losses.mse_loss(y, x @ w)", "Targets are data, and come second", "losses.mse_loss(x @ w, y)"),
    (
        "losses.cross_entropy(model(x), y)",
        "labels.astype(int)",
        "losses.cross_entropy(model(x), labels)",
    ),
    ("model.train()", "leave it out", "model"),
    ("model(x.T)", "takes inputs (N, 3)", "model(x)"),
    (
        "model.load_state_dict('a.safetensors')",
        "load(path)",
        "model.load_state_dict(model.state_dict())",
    ),
    ("optim.SGD(w, lr=0.1)", "[w, b]", "optim.SGD([w], lr=0.1)"),
    ("optim.SGD([w], lr='0.1')", "the text '0.1'", "optim.SGD([w], lr=0.1)"),
    ("sgd.zero_grad(set_to_none=True)", "model.zero_grad() for", "sgd.zero_grad()"),
    ("sgd.param_groups[0]['lr'] = 0.5", "optimizer.groups", "sgd.groups[0]['lr'] = 0.5"),
    ("sgd.learning_rate = 0.5", "write optimizer.lr", "sgd.lr = 0.5"),
    ("sgd.step(lambda: f(w))", "call it first", "f(w).backward()\nsgd.step()"),
    (
        "data.minibatches([x, y, labels], batch_size=2)",
        "(*arrays,",
        "data.minibatches(*[x, y], batch_size=2)",
    ),
    (
        "data.minibatches(zip(x, y), batch_size=2)",
        "minibatches(x, y,",
        "data.minibatches(x, y, batch_size=2)",
    ),
    (
        "save(model, 'a.safetensors')",
        'save(model.state_dict(), "model.safetensors")',
        "model.state_dict()",
    ),
    (
        "losses.multiclass_hinge(model(X), np.eye(2)[labels])",
        "write np.argmax(targets, axis=-1)",
        "losses.multiclass_hinge(model(X), np.argmax(np.eye(2)[labels], axis=-1))",
    ),
    ("draw(f(w).item())", "write draw(loss)", "draw(f(w))"),
    ("nn.Sequential(nn.Linear(2, 3))(X)", "x.shape[-1]", "nn.Sequential(nn.Linear(3, 3))(X)"),
    (
        "optim.SGD([w], lr=optim.schedules.cosine(0.1, 10))",
        "as schedule(step) gives it, but got the function",
        "optim.SGD([w], lr=optim.schedules.cosine(0.1, 10)(0))",
    ),
    (
        "nn.Dropout(0.5)",
        "write lambda x: x * (np.random.default_rng().random(x.shape) > 0.5) / 0.5",
        "nn.Sequential(lambda x: x * (np.random.default_rng().random(x.shape) > 0.5) / 0.5)(w)",
    ),
    (
        "np.std(w, axis=0, dtype=np.float32)",
        "t.astype(np.float32)",
        "np.std(w.astype(np.float32), axis=0)",
    ),
]
MISTAKES = [Mistake(line, BEFORE, line, instead, "", "") for line, _, instead in TABLE]
WORDS = {line: words for line, words, _ in TABLE}


def test_advice_for_numbers_is_not_given_to_text():
    with pytest.raises(TypeError, match=r"but got 'True': write one of them\.$"):
        tinygrad_edu.Tensor(1.0, requires_grad="True")


def test_there_are_more_than_fifty():
    assert len(WORDS) == len(TABLE) > 50


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_the_answer_leads_to_the_next_line(mistake):
    text = message(refusal(mistake))
    assert WORDS[mistake.line] in text
    assert len(text) < 1000


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.title)
def test_the_next_line_works(mistake):
    correct(mistake)
