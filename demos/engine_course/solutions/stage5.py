class Value:
    def __neg__(self):
        return Value(-self.data, "negative", (self,), (lambda g: -g,))

    def __sub__(self, other):
        return self + -as_value(other)

    def __rsub__(self, other):
        return as_value(other) - self

    def __truediv__(self, other):
        other = as_value(other)
        a, b = self.data, other.data
        rules = (lambda g: g / b, lambda g: -g * a / (b * b))
        return Value(a / b, "divide", (self, other), rules)

    def __rtruediv__(self, other):
        return as_value(other) / self

    def __pow__(self, power):
        if not isinstance(power, int | float):
            raise TypeError("the power is a plain number")
        a = self.data

        def rule(g):
            return g * power * a ** (power - 1) if power else 0.0 * g

        return Value(a**power, "power", (self, power), (rule,))

    def exp(self):
        y = np.exp(self.data)
        return Value(y, "exp", (self,), (lambda g: g * y,))

    def log(self):
        a = self.data
        return Value(np.log(a), "log", (self,), (lambda g: g / a,))

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, "tanh", (self,), (lambda g: g * (1.0 - y * y),))

    def relu(self):
        a = self.data
        return Value(np.maximum(a, 0.0), "relu", (self,), (lambda g: g * (a > 0),))


def difference(f, x):
    step = 1e-5
    return (f(x + step) - f(x - step)) / (2 * step)
