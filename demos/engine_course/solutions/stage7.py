class Value:
    __array_ufunc__ = None  # so that array + value asks value.__radd__

    def sum(self, axis=None, keepdims=False):
        shape = np.shape(self.data)

        def rule(g):
            if axis is not None and not keepdims:
                g = np.expand_dims(g, axis)
            return np.broadcast_to(g, shape)

        return Value(np.sum(self.data, axis, keepdims=keepdims), "sum", (self,), (rule,))

    def mean(self, axis=None, keepdims=False):
        total = self.sum(axis, keepdims)
        return total * (np.size(total.data) / np.size(self.data))

    def __matmul__(self, other):
        other = as_value(other)
        a, b = self.data, other.data
        if np.ndim(a) != 2 or np.ndim(b) != 2:
            raise ValueError("@ is for two matrices")
        rules = (lambda g: g @ b.T, lambda g: a.T @ g)
        return Value(a @ b, "matmul", (self, other), rules)

    def __rmatmul__(self, other):
        return as_value(other) @ self

    def backward(self):
        gradients = {self: np.ones_like(self.data)}  # of this pass
        for value in self.order():
            g = gradients.pop(value)  # complete: all that use it came before
            if value.op is None:
                value.grad = value.grad + g
            for arg, rule in zip(value.args, value.rules):
                contribution = unbroadcast(rule(g), np.shape(arg.data))
                gradients[arg] = gradients.get(arg, 0.0) + contribution


def unbroadcast(gradient, shape):
    gradient = np.sum(gradient, tuple(range(np.ndim(gradient) - len(shape))))  # axes in front
    stretched = tuple(i for i, n in enumerate(shape) if n == 1)
    return np.sum(gradient, stretched, keepdims=True)


class Mine:
    scalar = False
