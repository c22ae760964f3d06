class Value:
    def zero_grad(self):
        self.grad = 0.0


def step(parameters, learning_rate):
    for parameter in parameters:
        parameter.data = parameter.data - learning_rate * parameter.grad


def fit_line(xs, ys):
    w, b = Value(0.0), Value(0.0)
    for _ in range(2000):
        loss = Value(0.0)
        for x, y in zip(xs, ys):
            loss = loss + (w * x + b - y) ** 2
        loss = loss * (1 / len(xs))
        w.zero_grad()
        b.zero_grad()
        loss.backward()
        step([w, b], 0.05)
    return float(w.data), float(b.data)
