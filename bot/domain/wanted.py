"""Who is still wanted for a request, by every rule that counts for it: never who asked for it, has voted, or is silent."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from bot.domain.quorum import Standing, Voters, standing
from bot.domain.requests import Request, Vote
from bot.domain.rules import Memberships, Rule, Seats, groups_in, is_among, is_group

#: Nothing was read of Slack.
UNREAD: Memberships = {}


def standing_of(request: Request, rule: Rule, members: Memberships = UNREAD) -> Standing:
    """How it stands under one of its rules, by the votes that were counted; in the seats left, those who may still take one.

    Slack need not be asked for it. Without ``members``, a vote is known to have the seats of today's rule only as far as that
    follows from those that it was counted for: who else is in a group may then be wanted in place of whom, or left out.
    """
    voters = {vote.user: _seats(vote, request, rule, members) for vote in request.votes if vote.is_approval}
    found = _with_those_behind(rule, voters, standing(rule, voters))
    options = _open(request, found.one_of)
    return Standing(found.reached, _open(request, found.missing), tuple(each for each in options if each.subjects) or options)


def standings(request: Request, members: Memberships = UNREAD) -> list[Standing]:
    """One for each of its rules."""
    return [standing_of(request, rule, members) for rule in request.rules]


def missing(request: Request, members: Memberships = UNREAD) -> tuple[Seats, ...]:
    """The seats left under any of its rules, each once; of several groups of ``any``, all."""
    return tuple(dict.fromkeys(seats for each in standings(request, members) for seats in (*each.missing, *each.one_of)))


def silent(request: Request) -> frozenset[str]:
    """The users and user groups who are not to be pinged."""
    return frozenset(subject for rule in request.rules for subject in rule.silent)


def subjects(request: Request, members: Memberships = UNREAD) -> tuple[str, ...]:
    """The users and user groups to ping, in order."""
    quiet = silent(request)
    named = (subject for seats in missing(request, members) for subject in seats.subjects if subject not in quiet)
    return tuple(dict.fromkeys(named))


def groups(request: Request) -> frozenset[str]:
    """The user groups that must be read before `people` can say who is wanted."""
    every = request.rules if len(request.rules) > 1 else ()
    return groups_in((*subjects(request), *(approver for rule in every for approver in rule.approvers)))


def people(request: Request, members: Memberships) -> frozenset[str]:
    """The people to ping: one who is silent by name is not, as a member of whatever group.

    A group that was not read has no members here.
    """
    pinged = subjects(request, members)
    wanted = {user for subject in pinged for user in (members.get(subject, ()) if is_group(subject) else (subject,))}
    return frozenset(user for user in wanted - silent(request) if _may_vote(request, user, members))


def _seats(vote: Vote, request: Request, rule: Rule, members: Memberships) -> frozenset[int]:
    """The rule's groups of approvers that the voter was in: as counted then, as follows from that, or as read."""
    if request.rule is None or rule.seats == request.rule.seats:
        return vote.seats
    found = [seats for index, seats in enumerate(request.rule.seats) if index in vote.seats]
    return frozenset(
        index
        for index, seats in enumerate(rule.seats)
        if _is_in(vote.user, seats, found) or is_among(vote.user, seats.subjects, members)
    )


def _is_in(user: str, seats: Seats, found: Iterable[Seats]) -> bool:
    """Whoever is in a group of approvers and not by name is in one of its user groups, and all of these may be in another."""
    if user in seats.subjects:
        return True
    return any(user not in each.subjects and groups_in(each.subjects) <= set(seats.subjects) for each in found)


def _with_those_behind(rule: Rule, voters: Voters, found: Standing) -> Standing:
    """Who has voted may stand for another group as well: then those are wanted, too, who could take the seat they leave."""
    told = {subject for seats in (*found.missing, *found.one_of) for subject in seats.subjects}
    behind = [subject for subject in rule.approvers if subject not in told] if voters and not found.reached else []
    had = _left(found)
    left = {subject: _left(standing(rule, {**voters, "": _named_in(rule, subject)})) for subject in behind}

    def joined(seats: Seats) -> Seats:
        more = (subject for subject in behind if left[subject][seats.subjects] < had[seats.subjects])
        return replace(seats, subjects=(*seats.subjects, *more))

    return replace(found, missing=tuple(map(joined, found.missing)), one_of=tuple(map(joined, found.one_of)))


def _named_in(rule: Rule, subject: str) -> frozenset[int]:
    return frozenset(index for index, seats in enumerate(rule.seats) if subject in seats.subjects)


def _left(found: Standing) -> Counter[tuple[str, ...]]:
    """How many seats are left of each group."""
    left: Counter[tuple[str, ...]] = Counter()
    for seats in (*found.missing, *found.one_of):
        left[seats.subjects] += seats.count
    return left


def _open(request: Request, left: Iterable[Seats]) -> tuple[Seats, ...]:
    """With those who may vote."""
    return tuple(
        replace(seats, subjects=tuple(subject for subject in seats.subjects if _may_vote(request, subject, {})))
        for seats in left
    )


def _may_vote(request: Request, subject: str, members: Memberships) -> bool:
    """Whether the policy may let them, as far as is known; a user group always may."""
    if subject == request.requester or any(vote.user == subject for vote in request.votes):
        return False
    return is_group(subject) or all(is_among(subject, rule.approvers, members) is not False for rule in request.rules)
