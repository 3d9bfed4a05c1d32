"""The vocabulary of the trail: every state that is reached has an event of its own name."""

import pytest

from bot.domain.events import EventKind
from bot.domain.requests import Decision, Execution

#: States that are told by another event: a draft by being drafted, a queue by the approval, a wait by why it waits.
TOLD_OTHERWISE = {Decision.DRAFT, Execution.QUEUED, Execution.WAITING}


@pytest.mark.parametrize("state", [state for state in (*Decision, *Execution) if state not in TOLD_OTHERWISE], ids=str)
def test_states_have_events(state: Decision | Execution) -> None:
    """A state's event bears the state's own name, so that what is told is what is stored."""
    assert EventKind(state.value).value == state.value


def test_names() -> None:
    """Each name is one lower-case word or two, and used once."""
    names = [kind.value for kind in EventKind]
    assert len(names) == len(set(names))
    assert all(name.replace("_", "").isalpha() and name.islower() for name in names)
