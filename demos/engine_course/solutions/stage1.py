class Value:
    def __init__(self, data, op=None, args=(), rules=()):
        self.data = data
        self.op, self.args, self.rules = op, args, rules

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, "add", (self, other))

    def __radd__(self, other):
        return as_value(other) + self

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, "multiply", (self, other))

    def __rmul__(self, other):
        return as_value(other) * self


def as_value(x):
    """A plain number as a Value; a Value as it is."""
    return x if isinstance(x, Value) else Value(x)
