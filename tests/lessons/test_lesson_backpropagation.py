"""What the lesson ``backpropagation`` claims, on its own values."""


def test_claims(lesson):
    mistakes = [what for what, right in lesson.judged.items() if not right]
    assert mistakes == ["z before s", "= for +=", "no zero_grad"], (
        "only the mistakes should be wrong"
    )
    assert (
        abs(lesson.w.grad - lesson.by_hand["w"]) + abs(lesson.b.grad - lesson.by_hand["b"]) < 1e-12
    ), "engine and hand differ"
