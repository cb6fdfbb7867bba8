from __future__ import annotations

import pytest
from pydantic import ValidationError

from pulsetui.actions.base import Action, Outcome, Right, parse_action, parse_outcome, registered_actions
from pulsetui.errors import UsageError
from tests.actions.samples import Count, Counted, Fail


def test_an_action_goes_to_json_and_back() -> None:
    action = Fail(how="bug")
    assert (action.verb, action.right, action.arguments()) == ("test-fail", Right.OPERATE, {"how": "bug"})
    assert parse_action("test-fail", {"how": "bug"}) == action
    assert registered_actions()["test-fail"] is Fail


def test_an_action_can_not_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Count(name="a").name = "b"  # type: ignore[misc]


def test_an_unknown_verb_names_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="no order 'test-cuont'") as raised:
        parse_action("test-cuont", {})
    assert raised.value.hint == "did you mean 'test-count'?"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [({}, "how: Field required"), ({"how": 3}, "how: Input"), ({"how": "x", "\x1b": 1}, r"\\x1b: Extra inputs")],
)
def test_arguments_that_do_not_fit_are_named(arguments: dict[str, object], found: str) -> None:
    with pytest.raises(UsageError, match=found):
        parse_action("test-fail", arguments)


def test_an_outcome_comes_back_as_the_type_that_the_action_promises() -> None:
    assert parse_outcome(Count(), {"count": 3}) == Counted(count=3)


def test_a_verb_is_declared_once_and_with_a_right() -> None:
    with pytest.raises(TypeError, match="is taken by"):

        class Other(Action, verb="test-count", right=Right.VIEW):
            pass

    with pytest.raises(TypeError, match="needs a right"):

        class Free(Action, verb="test-free"):
            pass

    assert "test-free" not in registered_actions()


def test_outcomes_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Counted(count=1).count = 2  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Outcome.model_validate({"more": 1})
