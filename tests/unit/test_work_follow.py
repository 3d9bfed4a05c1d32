"""The follower: each order is carried out once, whatever fails on the way."""

from pathlib import Path
from typing import cast

import pytest

from bot.exceptions import StoreBusy
from bot.store import replicas
from bot.store.replicas import Order
from bot.work.follow import Follower
from bot.work.reload import Reloader
from tests.unit.store_kit import open_store

pytestmark = pytest.mark.usefixtures("any_database")


class Reloads:
    """In the place of a `bot.work.reload.Reloader`; the first order cannot be followed at once."""

    def __init__(self) -> None:
        self.followed = 0
        self.done: list[str] = []
        self._is_busy = True

    def hash(self) -> str:
        return "a hash"

    def reload(self) -> None:
        self.done.append("by hand")

    def follow(self, order: Order) -> None:
        if self._is_busy:
            self._is_busy = False
            raise StoreBusy
        self.followed = order.number
        self.done.append("by order")


def test_what_was_asked_for_is_done_once(tmp_path: Path) -> None:
    """An order that fails is tried again; the signal that came with it was followed already."""
    store, reloads = open_store(tmp_path), Reloads()
    follower = Follower(store, cast(Reloader, reloads), poll=5)
    follower.reload()
    with store.begin() as session:
        replicas.order(session, "U0OPS")
    for _ in range(3):
        assert follower.look() == 5
    assert reloads.done == ["by hand", "by order"]
    store.close()
