"""Whether the approvals that a request has are enough: each seat of its rule wants a person of its own."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from bot.domain.rules import Memberships, Rule, Seats, is_among

#: Who approved, and the indexes into `Rule.seats` of the groups that they are in.
Voters = Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class Standing:
    """How an open request stands. ``missing`` are the seats that are still to be taken; of ``one_of``, one group's.

    Of several ways to seat the same people one is told; which people may still take a seat does not depend on it.
    """

    reached: bool
    missing: tuple[Seats, ...] = ()
    one_of: tuple[Seats, ...] = ()

    @property
    def lacking(self) -> int:
        """How many people it takes at least."""
        return sum(seats.count for seats in self.missing) + min((seats.count for seats in self.one_of), default=0)

    def besides(self, people: Collection[str]) -> Self:
        """Without those who are named and not wanted: the requester, whose own vote never counts, and who has voted already."""
        missing, one_of = (
            tuple(replace(seats, subjects=tuple(each for each in seats.subjects if each not in people)) for seats in group)
            for group in (self.missing, self.one_of)
        )
        return replace(self, missing=missing, one_of=tuple(seats for seats in one_of if seats.subjects) or one_of)


def seats_of(user: str, rule: Rule, members: Memberships) -> frozenset[int] | None:
    """The groups of approvers that the user is in; None when a group decides that and was not read."""
    among = [is_among(user, seats.subjects, members) for seats in rule.seats]
    if None in among:
        return None
    return frozenset(index for index, is_in in enumerate(among) if is_in)


def groups_to_read(users: Iterable[str], rule: Rule) -> frozenset[str]:
    """The user groups that decide where these users sit: none of a seat in which all of them are named."""
    people = frozenset(users)
    wanted = (seats for seats in rule.seats if not people <= frozenset(seats.subjects))
    return frozenset(subject for seats in wanted for subject in seats.subjects if subject.startswith("S"))


def standing(rule: Rule, voters: Voters) -> Standing:
    """Everybody takes one seat at most, so who is in two groups stands for one of them."""
    first = len(rule.all)
    ways = [(*range(first), option) for option in range(first, first + len(rule.any))] or [tuple(range(first))]
    taken = [_seated(rule, way, voters) for way in ways]
    full = [all(seated[index] == rule.seats[index].count for index in way) for way, seated in zip(ways, taken, strict=True)]
    if any(full):
        return Standing(True)
    left = [_left(rule, seated) for seated in taken]  # the seats of `all` are filled first, so each way leaves the same of them
    options = [[seats for index, seats in way if index >= first] for way in left]
    if not all(options):  # one group of `any` is complete, so none of the others is wanted
        options = []
    missing = tuple(seats for index, seats in left[0] if index < first)
    return Standing(False, missing, tuple(seats for way in options for seats in way))


@dataclass(frozen=True)
class Scale:
    """What votes are weighed by: all rules that count for a request, and who is in which group now.

    ``outside`` are those of the voters who may not take part any more, with the code of `policy.may_take_part`.
    """

    rules: tuple[Rule, ...]
    members: Memberships
    outside: Mapping[str, str] = field(default_factory=dict)

    def seats(self, user: str) -> frozenset[int]:
        """The groups of the first rule, under which it was asked, that the user is in."""
        return seats_of(user, self.rules[0], self.members) or frozenset()

    def carries(self, user: str) -> bool:
        """Whether the user's approval counts under every rule, as far as is known."""
        return user not in self.outside and all(seats_of(user, rule, self.members) != frozenset() for rule in self.rules)

    def standings(self, users: Iterable[str]) -> tuple[Standing, ...]:
        """One for each rule."""
        people = tuple(users)
        return tuple(
            standing(rule, {user: seats_of(user, rule, self.members) or frozenset() for user in people}) for rule in self.rules
        )

    def is_reached(self, users: Iterable[str]) -> bool:
        return all(each.reached for each in self.standings(users))


def _left(rule: Rule, seated: Mapping[int, int]) -> list[tuple[int, Seats]]:
    """What is still to be taken of the seats of one way."""
    rest = {index: rule.seats[index].count - count for index, count in seated.items()}
    return [(index, replace(rule.seats[index], count=count)) for index, count in rest.items() if count > 0]


def _seated(rule: Rule, way: Sequence[int], voters: Voters) -> dict[int, int]:
    """How many seats of each group can be taken at most: a maximum matching, by augmenting paths (Kuhn)."""
    seats = [index for index in way for _ in range(rule.seats[index].count)]
    sits: dict[str, int] = {}

    def seat(place: int, asked: set[str]) -> bool:
        for user, groups in voters.items():
            if seats[place] in groups and user not in asked:
                asked.add(user)
                if user not in sits or seat(sits[user], asked):
                    sits[user] = place
                    return True
        return False

    found = dict.fromkeys(way, 0)
    for place, index in enumerate(seats):
        found[index] += seat(place, set())
    return found
