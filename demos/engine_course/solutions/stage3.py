class Value:
    def backward(self):
        waiting = [(self, 1.0)]  # a value, and what arrives there along one path
        while waiting:
            value, g = waiting.pop()
            value.grad += g
            waiting += [(arg, rule(g)) for arg, rule in zip(value.args, value.rules)]
