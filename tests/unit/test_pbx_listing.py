"""Reading a list to its end, whatever the PBX does meanwhile."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.exceptions import PbxBadAnswer
from bot.pbx.listing import MOST_PAGES, PAGE_SIZE, read_all

Page = Callable[[int], dict[str, Any]]


def paged(ids: Sequence[int], size: int = PAGE_SIZE) -> Page:
    """A well-behaved PBX, perhaps with a page size of its own."""

    def page(at: int) -> dict[str, Any]:
        shown = ids[(at - 1) * size : at * size]
        return {"total_number": len(ids), "list": [{"id": each} for each in shown]}

    return page


def ids_of(page: Page) -> list[Any]:
    return [item["id"] for item in read_all(page, "list")]


@given(st.sets(st.integers(1, 10_000), max_size=70), st.integers(1, 100), st.randoms())
def test_every_page_size(ids: set[int], size: int, random: Any) -> None:
    """All are found, in the order of their ids, also when the PBX keeps to a page size and an order of its own."""
    size = max(size, len(ids) // MOST_PAGES + 1)
    mixed = random.sample(sorted(ids), len(ids))
    assert ids_of(paged(mixed, size)) == sorted(ids)


def test_changed_meanwhile() -> None:
    """When one is removed between two pages, the list is read again, and none is missing."""
    before, after = list(range(1, 31)), list(range(2, 31))
    calls: list[int] = []

    def page(at: int) -> dict[str, Any]:
        calls.append(at)
        return paged(before if len(calls) == 1 else after)(at)

    assert ids_of(page) == after
    assert calls == [1, 2, 1, 2]


def test_always_the_first_page() -> None:
    """A PBX that shows the same page for ever is not read for ever, and a part is not taken for the whole."""
    calls: list[int] = []

    def page(at: int) -> dict[str, Any]:
        calls.append(at)
        return {"total_number": 30, "list": [{"id": each} for each in range(1, 26)]}

    with pytest.raises(PbxBadAnswer, match="fewer certificates than it says"):
        ids_of(page)
    assert len(calls) < 10


def test_endless() -> None:
    """A list that grows with every page is given up."""
    calls: list[int] = []

    def page(at: int) -> dict[str, Any]:
        calls.append(at)
        return {"total_number": 10**9, "list": [{"id": len(calls)}]}

    with pytest.raises(PbxBadAnswer):
        ids_of(page)
    assert len(calls) <= 3 * MOST_PAGES


def test_everything_at_once() -> None:
    """A PBX that ignores the page size and shows all of them is asked once."""
    calls: list[int] = []

    def page(at: int) -> dict[str, Any]:
        calls.append(at)
        return {"total_number": "40", "list": [{"id": str(each)} for each in range(1, 41)]}

    assert len(ids_of(page)) == 40
    assert calls == [1]


def test_no_total() -> None:
    """Without a total, the list ends where nothing new comes."""

    def page(at: int) -> dict[str, Any]:
        return {"list": [{"id": at}] if at < 4 else []}

    assert ids_of(page) == [1, 2, 3]


def test_no_id() -> None:
    """A certificate without an id could not be told from another one, so the answer is refused."""
    with pytest.raises(PbxBadAnswer, match="without an id"):
        ids_of(lambda _at: {"total_number": 1, "list": [{"name": "a.crt"}]})
