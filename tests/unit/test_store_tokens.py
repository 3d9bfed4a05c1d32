"""The shelf of the PBXs' tokens: sealed, shared, one login at a time, and stopped until somebody acts."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.domain.tokens import Tokens
from bot.exceptions import StoreBusy, VaultError
from bot.store import tokens
from bot.store.engine import Store
from bot.store.tables import TokenRow
from bot.store.tokens import LOGIN_LEASE, TokenShelf
from tests.unit.store_kit import NOW, Clock, at_once, open_store, read

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    store = open_store(tmp_path, clock)
    yield store
    store.close()


@pytest.fixture
def other(tmp_path: Path, clock: Clock, store: Store) -> Iterator[Store]:
    """Another process on the same database."""
    other = open_store(tmp_path, clock)
    yield other
    other.close()


def token(access: str = "access-1") -> Tokens:
    return Tokens(access, f"refresh of {access}", NOW + timedelta(minutes=30), NOW + timedelta(days=1))


def test_shared(store: Store, other: Store) -> None:
    """A token that one process saves is the one that every other loads; each PBX has its own."""
    shelf = TokenShelf(store)
    assert shelf.load("hq") is None
    shelf.save("hq", token())
    shelf.save("branch", token("access-2"))
    assert (TokenShelf(other).load("hq"), TokenShelf(other).load("branch")) == (token(), token("access-2"))


def test_sealed(store: Store, tmp_path: Path) -> None:
    """No file of the database holds a token in clear, and one PBX's does not open as another's."""
    shelf = TokenShelf(store)
    shelf.save("hq", token("an-access-token"))
    shelf.save("branch", token())
    assert all(b"an-access-token" not in path.read_bytes() for path in tmp_path.iterdir())
    with store.begin() as session:
        sealed = session.scalars(select(TokenRow.sealed).filter_by(pbx="hq")).one()
        session.execute(update(TokenRow).values(sealed=sealed))
    with pytest.raises(VaultError):
        shelf.load("branch")


def test_dropped_if_still_it(store: Store) -> None:
    """Only the token that is meant is forgotten."""
    shelf = TokenShelf(store)
    shelf.drop("hq", "never there")
    shelf.save("hq", token("new"))
    shelf.drop("hq", "old")
    assert shelf.load("hq") == token("new")
    shelf.drop("hq", "new")
    assert shelf.load("hq") is None


def test_dropped_while_saved(store: Store) -> None:
    """Forgetting an old token does not take away the new one that somebody saves at that moment."""
    shelf = TokenShelf(store)
    for _ in range(60):
        shelf.save("hq", token("old"))
        at_once([partial(shelf.drop, "hq", "old"), partial(shelf.save, "hq", token("new"))])
        assert shelf.load("hq") == token("new")


def test_stopped(store: Store, other: Store) -> None:
    """A stop holds in every process, for that configuration, and takes the token with it."""
    shelf = TokenShelf(store)
    shelf.save("hq", token())
    shelf.stop("hq", "config-1", "It refused the secret.")
    seen = TokenShelf(other)
    assert (seen.stopped("hq", "config-1"), seen.load("hq")) == ("It refused the secret.", None)
    assert (seen.stopped("hq", "config-2"), seen.stopped("branch", "config-1")) == (None, None)
    assert read(store, lambda session: tokens.stopped(session, "hq")) == "It refused the secret."


def test_resumed(store: Store) -> None:
    """Somebody lets logins go on, once."""
    shelf = TokenShelf(store)
    shelf.stop("hq", "config-1", "It refused the secret.")
    for expected in (True, False):
        with store.begin() as session:
            assert tokens.resume(session, "hq") is expected
    assert shelf.stopped("hq", "config-1") is None
    assert read(store, lambda session: tokens.stopped(session, "hq")) == ""
    assert read(store, lambda session: tokens.stopped(session, "branch")) == ""


def test_stopped_anew(store: Store) -> None:
    """A second refusal after a new start stops again, with its own reason."""
    shelf = TokenShelf(store)
    shelf.stop("hq", "config-1", "First.")
    with store.begin() as session:
        tokens.resume(session, "hq")
    shelf.stop("hq", "config-2", "Second.")
    assert (shelf.stopped("hq", "config-1"), shelf.stopped("hq", "config-2")) == (None, "Second.")


def test_one_login(store: Store, other: Store) -> None:
    """While one logs in, another is told to come back; afterwards, or for another PBX, they may."""
    shelf, second = TokenShelf(store), TokenShelf(other)
    with shelf.exclusive("hq"):
        with pytest.raises(StoreBusy, match="logging in"), second.exclusive("hq"):
            pass
        with second.exclusive("branch"):
            pass
    with second.exclusive("hq"):
        pass


def test_login_lets_go_when_it_fails(store: Store, other: Store) -> None:
    """A login that goes wrong does not keep the next one waiting."""
    with pytest.raises(ZeroDivisionError), TokenShelf(store).exclusive("hq"):
        raise ZeroDivisionError
    with TokenShelf(other).exclusive("hq"):
        pass


def test_login_of_the_dead(store: Store, other: Store, clock: Clock) -> None:
    """Whoever died while logging in is waited for no longer than the lease."""
    held = TokenShelf(store).exclusive("hq")
    held.__enter__()
    with pytest.raises(StoreBusy), TokenShelf(other).exclusive("hq"):
        pass
    clock.advance(seconds=LOGIN_LEASE.total_seconds() + 1)
    with TokenShelf(other).exclusive("hq"):
        held.__exit__(None, None, None)
        with pytest.raises(StoreBusy), TokenShelf(store).exclusive("hq"):
            pass


def test_crowd_logs_in_once(store: Store, other: Store) -> None:
    """Of many who want to log in at once, at any moment one does; nobody meets another error than busy."""
    inside, most = [0], [0]

    def login(shelf: TokenShelf) -> None:
        with shelf.exclusive("hq"):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            shelf.load("hq")  # something that takes its time, in which others come
            inside[0] -= 1

    answers = at_once([partial(login, TokenShelf(each)) for each in (store, other) * 5])
    assert all(isinstance(answer, StoreBusy | None) for answer in answers), answers
    assert None in answers
    assert most == [1]
