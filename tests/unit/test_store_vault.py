"""The vault: what is sealed opens only here, with this key, in this place; and what is wiped is gone."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text, update

from bot.exceptions import VaultError
from bot.store.engine import Store
from bot.store.tables import MetaRow, SecretRow
from bot.store.vault import Vault
from tests.unit.store_kit import KEY, SECRET, copy_of, new_draft, open_store, read

pytestmark = pytest.mark.usefixtures("any_database")

OTHER_KEY = bytes(reversed(KEY))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "db").mkdir()
    store = open_store(tmp_path / "db")
    yield store
    store.close()


def put(store: Store, number: int, name: str = "bundle", plain: bytes = SECRET) -> bytes:
    with store.begin() as session:
        store.vault.put(session, number, name, plain)
    return bytes(read(store, lambda session: session.get_one(SecretRow, (number, name)).sealed))


@given(st.binary(max_size=2000), st.text(max_size=50))
def test_round_trip(plain: bytes, place: str) -> None:
    """Whatever is sealed opens as it was, and is sealed differently each time."""
    vault = Vault(KEY)
    first, second = vault.seal(plain, place), vault.seal(plain, place)
    assert vault.open(first, place) == vault.open(second, place) == plain
    assert first != second


@given(st.binary(min_size=1, max_size=50), st.data())
def test_any_change(plain: bytes, data: st.DataObject) -> None:
    """A change of any bit, a piece cut off, another place and another key are all refused."""
    sealed = Vault(KEY).seal(plain, "1/bundle")
    at = data.draw(st.integers(0, len(sealed) - 1))
    flipped = sealed[:at] + bytes([sealed[at] ^ data.draw(st.integers(1, 255))]) + sealed[at + 1 :]
    for key, changed, place in (
        (KEY, flipped, "1/bundle"),
        (KEY, sealed[:at], "1/bundle"),
        (KEY, sealed, "2/bundle"),
        (OTHER_KEY, sealed, "1/bundle"),
    ):
        with pytest.raises(VaultError):
            Vault(key).open(changed, place)


def test_errors_tell_nothing() -> None:
    """An error about a secret holds neither the secret nor its bytes."""
    sealed = Vault(KEY).seal(SECRET, "1/bundle")
    with pytest.raises(VaultError) as caught:
        Vault(OTHER_KEY).open(sealed, "1/bundle")
    assert caught.value.__cause__ is None
    assert "PRIVATE" not in f"{caught.value!r} {caught.value.args} {Vault(KEY)!r} {vars(Vault(KEY))}"
    assert KEY.hex() not in f"{vars(Vault(KEY))!r}"


def test_wrong_key(store: Store, tmp_path: Path) -> None:
    """A database sealed under another key is refused at the start, in words that say what is wrong."""
    store.close()
    other = open_store(tmp_path / "db", key=OTHER_KEY)
    with pytest.raises(VaultError, match="cannot be opened with the key that is configured"):
        other.migrate()
    other.close()
    again = open_store(tmp_path / "db")
    again.migrate()
    again.close()


def test_check_is_sealed_once(store: Store) -> None:
    """Starting again changes nothing in the check value."""
    before = read(store, lambda session: session.scalars(select(MetaRow.value)).one())
    store.migrate()
    assert read(store, lambda session: session.scalars(select(MetaRow.value)).one()) == before


def test_bound_to_its_row(store: Store) -> None:
    """A secret that somebody moves to another request, or under another name, does not open there."""
    first, second = new_draft(store).id, new_draft(store, delivery="d2").id
    sealed = put(store, first)
    put(store, second)
    put(store, first, "dns")
    for number, name in ((second, "bundle"), (first, "dns")):
        with store.begin() as session:
            session.execute(update(SecretRow).filter_by(request=number, name=name).values(sealed=sealed))
        with store.begin() as session, pytest.raises(VaultError):
            store.vault.take(session, number, name)


def test_replaced(store: Store) -> None:
    """A secret put again takes the old one's place, and its digest with it."""
    number = new_draft(store).id
    put(store, number, plain=b"old")
    old = read(store, lambda session: store.vault.digests(session, number, ("bundle",)))
    put(store, number, plain=b"new")
    assert read(store, lambda session: store.vault.take(session, number, "bundle")) == b"new"
    assert read(store, lambda session: store.vault.digests(session, number, ("bundle",))) != old
    assert read(store, lambda session: store.vault.digests(session, number, ("dns",))) == {}


def test_values_keep_their_types(store: Store) -> None:
    """DNS parameters come back as the text, number or boolean that they were."""
    number = new_draft(store).id
    params: dict[str, str | int | bool] = {"AccessKeyId": "a", "TTL": 600, "Sandbox": True}
    with store.begin() as session:
        store.vault.put_json(session, number, "dns", params)
    with store.begin() as session:
        assert store.vault.take_json(session, number, "dns") == params
        assert [type(value) for value in store.vault.take_json(session, number, "dns").values()] == [str, bool, int]
        assert store.vault.take_json(session, number, "none") == {}
        assert store.vault.take(session, number, "none") is None


def test_keyed_digest() -> None:
    """The digest tells equal from different, and to nobody who lacks the key."""
    mine, other = Vault(KEY), Vault(OTHER_KEY)
    assert mine.keyed_digest(SECRET) == Vault(KEY).keyed_digest(SECRET)
    assert mine.keyed_digest(SECRET) not in (mine.keyed_digest(SECRET + b" "), other.keyed_digest(SECRET))


@pytest.mark.sqlite_only("its files")
def test_nothing_in_clear(store: Store, tmp_path: Path) -> None:
    """No file of the database holds a secret in clear, nor the key."""
    put(store, new_draft(store).id, plain=SECRET * 500)
    lying = copy_of(tmp_path / "db", tmp_path / "copy")
    assert SECRET[:20] not in lying
    assert KEY not in lying
    assert b"New corporate root" in lying  # so the search does find what is there


@pytest.mark.sqlite_only("its files")
@pytest.mark.parametrize("size", [100, 50_000])
def test_wiped_bytes(store: Store, tmp_path: Path, size: int) -> None:
    """Once wiped, not even the sealed bytes are left in the files, be they in a row or in pages of their own."""
    number = new_draft(store).id
    sealed = put(store, number, plain=b"x" * size)
    assert sealed[-64:] in copy_of(tmp_path / "db", tmp_path / "before")
    with store.begin() as session:
        assert store.vault.wipe(session, number) == ["bundle"]
    store.close()
    after = copy_of(tmp_path / "db", tmp_path / "after")
    assert sealed[:64] not in after
    assert sealed[-64:] not in after


@pytest.mark.sqlite_only("its files")
def test_wiped_bytes_need_secure_delete(store: Store, tmp_path: Path) -> None:
    """Without SQLite's secure_delete they would be left: this is what the test above looks for."""
    sealed = put(store, new_draft(store).id, plain=b"x" * 50_000)
    store.close()
    with sqlite3.connect(tmp_path / "db" / "bot.db") as plain:
        plain.execute("PRAGMA secure_delete = OFF")
        plain.execute("DELETE FROM secrets")
    plain.close()
    assert sealed[-64:] in copy_of(tmp_path / "db", tmp_path / "after")


def test_wiped_by_name(store: Store) -> None:
    """Only the named secrets go, only this request's, and it is said which were there."""
    first, second = new_draft(store).id, new_draft(store, delivery="d2").id
    for name in ("bundle", "dns", "file:F1"):
        put(store, first, name)
    put(store, second)
    with store.begin() as session:
        assert store.vault.wipe(session, first, "dns", "file:F1", "none") == ["dns", "file:F1"]
        assert store.vault.names(session, first) == ["bundle"]
        assert store.vault.wipe(session, first) == ["bundle"]
        assert store.vault.wipe(session, first) == []
        assert store.vault.names(session, second) == ["bundle"]


@pytest.mark.sqlite_only("its secure_delete")
def test_every_connection_wipes(store: Store) -> None:
    """Each connection of the pool overwrites what it deletes."""
    with store.begin() as first, store.begin() as second:
        for session in (first, second):
            assert session.execute(text("PRAGMA secure_delete")).scalar_one() == 1
