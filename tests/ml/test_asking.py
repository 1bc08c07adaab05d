"""Whether somebody says that a trouble is over: what does not say so, and what does. Questions have tests in test_situations.py."""

from __future__ import annotations

import pytest

from ml.asking import solved

WISHES = (
    "Is it all good now?",
    "It is not all good now.",
    "Please tell me once the problem is solved.",
    "Until this is resolved we will not renew.",
    "You said it is fixed now.",
    "It works again, but slowly.",
    "Hope everything is fine now.",
    "The system is down again.",
    "Das Problem ist noch nicht behoben.",
    "El problema no está resuelto.",
)


@pytest.mark.parametrize("sentence", WISHES)
def test_a_wish_a_condition_or_a_but_says_of_no_trouble_that_it_is_over(sentence: str) -> None:
    assert solved(sentence) == []


OVER = ("All good now, thanks.", "That fixed it.", "Alles wieder gut, danke!", "Tout est en ordre maintenant.", "Ya funciona, gracias.", "Já está resolvido.")


@pytest.mark.parametrize("sentence", [*OVER, "Never mind, found it.", "The problem is solved.", "Price is no longer a concern for us."])
def test_that_it_is_over_is_said_in_such_words(sentence: str) -> None:
    assert solved(sentence) == [(0, len(sentence))]
