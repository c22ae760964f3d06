"""The functions that work on Tensors: ``python -m tinygrad_edu.numpy_table`` prints them."""

from tinygrad_edu import errors, numpy_api, ops


def table() -> str:
    """Each function with a rule, or composed, with its convention at kinks; then the queries.

    >>> from tinygrad_edu import numpy_table
    >>> print(*[line for line in numpy_table.table().splitlines() if line[:7] == "np.max:"])
    np.max: a rule; a tie shares the gradient evenly
    """
    lines = []
    for op in ops.derivatives:
        convention = ops.conventions.get(op)
        lines.append(f"{_name(op)}: a rule" + (f"; {convention}" if convention else ""))
    for op, composition in numpy_api.compositions.items():
        is_another = composition in ops.derivatives or composition in numpy_api.compositions
        told = f"As {_name(composition)}." if is_another else composition.__doc__ or ""
        lines.append(f"{_name(op)}: composed" + (f". {told.splitlines()[0]}" if told else ""))
    asked = ", ".join(sorted(map(_name, numpy_api.queries)))
    return "\n".join([*sorted(lines), "", f"These give plain data: {asked}."])


def _name(op: ops.Operation) -> str:
    own = op in vars(ops).values()
    return f"tinygrad_edu.ops.{ops.name(op)}" if own else errors.full_name(op)


if __name__ == "__main__":
    print(table())
