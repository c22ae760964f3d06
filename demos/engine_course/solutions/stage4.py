class Value:
    def order(self):
        """This and all that it was computed from, each after whatever uses it."""
        found, seen = [], set()
        waiting = [(self, False)]
        while waiting:
            value, is_done = waiting.pop()
            if is_done:  # so are its operands: they were above it on the stack
                found.append(value)
            elif value not in seen:
                seen.add(value)
                waiting.append((value, True))
                waiting += [(arg, False) for arg in value.args if isinstance(arg, Value)]
        return found[::-1]

    def backward(self):
        gradients = {self: 1.0}  # of this pass
        for value in self.order():
            g = gradients.pop(value)  # complete: all that use it came before
            if value.op is None:
                value.grad = value.grad + g
            for arg, rule in zip(value.args, value.rules):
                gradients[arg] = gradients.get(arg, 0.0) + rule(g)
