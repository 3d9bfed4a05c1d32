"""How each mistake in [[policy]], [[team]], [risk], [audit] and what belongs to them in [slack] is told."""

from pathlib import Path

import pytest

from tests.unit.config.files import Faults
from tests.unit.policy_files import completed, loaded

HQ = '[[pbx]]\nname = "hq"\napprovers = ["U0ANA"]\n'
BARE = '[[pbx]]\nname = "hq"\n'
ALL = 'all = [{ of = ["U0ANA"] }]\n'
TEAM = '[[team]]\nname = "voice"\nmembers = ["S0TECHS"]\nleads = ["U0LEAD"]\n'
NO_PERSON = 'must be the id of a user ("U…", "W…") or of a user group ("S…"), not a name'
NO_VOICE = 'must be the id of a user ("U…", "W…") or of a user group ("S…"), or "lead-of-requester"'
NO_TIME = 'must be a time such as "8h", "90m", "2d" or "1h30m"'
NO_CHANNEL = 'must be a channel\'s id such as "C01CERTS", as its details in Slack show it'
NO_ZONE = 'must be the name of a time zone such as "Europe/Berlin" or "UTC"'
NO_TEAM = 'is "lead-of-requester", but there is no [[team]] that says who leads whom'
EXPIRED = "must be shorter than {}, or the request has expired by then"
TWICE = "names somebody twice"
UNUSED = "is never used: policy[0] takes every request that it is for; put it before that one"
ONE_SEAT = "cannot be approved by those whom it names, because each of them counts for one group only"


class TestOneRule:
    @pytest.mark.parametrize(
        ("key", "told"),
        [
            ('name = ""', "name: must be 1 to 60 characters in one line"),
            ('name = "two\\nlines"', "name: must be 1 to 60 characters in one line"),
            ("name = 1", 'name: must be text in quotes, such as "text"'),
            ('pbx = "hq"', "pbx: must be a list"),
            ("pbx = []", "pbx: is empty: leave it out for every PBX, or name some"),
            ('pbx = ["hq", "HQ"]', "pbx: names the same one twice"),
            ('pbx = ["hq", "lab"]', "pbx[1]: there is no [[pbx]] of this name"),
            ("pbx = [1]", 'pbx[0]: must be text in quotes, such as "text"'),
            ('kind = "import"', "kind: must be a list"),
            ("kind = []", "kind: is empty: leave it out for every kind, or name some"),
            ('kind = ["import", "import"]', "kind: names the same one twice"),
            ('kind = ["import", "ca"]', "kind[1]: must be one of 'trusted', 'import' or 'apply'"),
            ("risk = []", "risk: is empty: leave it out for any risk and none, or name some"),
            ('risk = ["last_slot", "last_slot"]', "risk: names the same one twice"),
            ('risk = ["wild"]', "risk[0]: must be one of 'wildcard', 'weak_key', 'shared_key', 'long_validity', "
             "'not_covering', 'last_slot' or 'outside_window'"),
            ("requester = []", "requester: is empty: leave it out for everybody's requests, or name some"),
            ('requester = ["U0A", "bob"]', f"requester[1]: {NO_PERSON}"),
            ('requester = ["U0A", "U0A"]', f"requester: {TWICE}"),
            ("ask = []", "ask: is empty: leave it out to let everybody ask, or name some"),
            ('ask = ["lead-of-requester"]', f"ask[0]: {NO_PERSON}"),
            ("read = []", "read: is empty: leave it out to let everybody read, or name some"),
            ('read = ["#general"]', f"read[0]: {NO_PERSON}"),
            ('silent = ["bob"]', f"silent[0]: {NO_VOICE}"),
            ('silent = ["U0ANA", "U0ANA"]', f"silent: {TWICE}"),
            ('silent = ["U0ANA", "U0BEN"]', "silent[1]: is none of its approvers"),
            ('comment = "yes"', "comment: must be true or false, without quotes"),
            ("open_for = 8", f"open_for: {NO_TIME}"),
            ('open_for = "0h"', "open_for: must be longer than nothing"),
            ('remind_after = "soon"', f"remind_after: {NO_TIME}"),
            ('remind_after = "8h"', f"remind_after: {EXPIRED.format('slack.pending_for')}"),
            ('open_for = "1h"\nremind_after = "2h"', f"remind_after: {EXPIRED.format('open_for')}"),
            ('escalate_after = "x"\nescalate_to = ["U0A"]', f"escalate_after: {NO_TIME}"),
            ('escalate_after = "1d"\nescalate_to = ["U0A"]', f"escalate_after: {EXPIRED.format('slack.pending_for')}"),
            ('escalate_after = "1h"', "escalate_to: is missing: escalate_after says when, and not to whom"),
            ('escalate_to = ["U0A"]', "escalate_after: is missing: escalate_to says to whom, and not when"),
            ('escalate_to = ["bob"]\nescalate_after = "1h"', f"escalate_to[0]: {NO_VOICE}"),
            ('escalate_to = ["U0A", "lead-of-requester"]\nescalate_after = "1h"', f"escalate_to[1]: {NO_TEAM}"),
            ("emergency = true", "emergency: must be a table"),
            ("emergency = {}", "emergency.by: is missing"),
            ("emergency = { by = [] }", "emergency.by: must hold at least one"),
            ('emergency = { by = ["U0A", "lead-of-requester"] }', f"emergency.by[1]: {NO_PERSON}"),
            ('emergency = { by = ["U0A"], confirm_within = 1 }', f"emergency.confirm_within: {NO_TIME}"),
            ('emergency = { by = ["U0A"], confirm_within = "0m" }', "emergency.confirm_within: must be longer than nothing"),
            ('emergency = { by = ["U0A"], confirm = "1h" }', "emergency.confirm: is not known; did you mean confirm_within?"),
            ('approvers = ["U0A"]', 'approvers: is a key of [[pbx]]; here, write all = [{ of = ["S02LEADS"] }]'),
            ("approvals = 2", 'approvals: is a key of [[pbx]]; here, write all = [{ of = ["S02LEADS"], approvals = 2 }]'),
            ('requesters = ["U0A"]', "requesters: is a key of [[pbx]]; here, ask says who may ask; requester says whose "
             "requests the rule is for"),
            ("coment = true", "coment: is not known; did you mean comment?"),
        ],
    )  # fmt: skip
    def test_one_key(self, faults: Faults, key: str, told: str) -> None:
        """A faulty value of a rule is told by its key, its index and what it must be; and nothing else is."""
        assert faults(completed(f"{HQ}[[policy]]\n{key}\n{ALL}")) == [f"policy[0].{told}"]

    @pytest.mark.parametrize(
        ("approvers", "told"),
        [
            ("", ": names nobody who could approve: write all = [{ of = [...] }], or any"),
            ("all = []", ": names nobody who could approve: write all = [{ of = [...] }], or any"),
            ("all = 1", '.all: must be a list such as [{ of = ["S02LEADS"] }]'),
            ('any = { of = ["U0A"] }', '.any: must be a list such as [{ of = ["S02LEADS"] }]'),
            ('all = ["U0A"]', '.all[0]: must be a table such as { of = ["S02LEADS"] }'),
            ("all = [{}]", ".all[0].of: is missing"),
            ("any = [{ of = [] }]", ".any[0].of: must hold at least one"),
            ('all = [{ of = "U0A" }]', ".all[0].of: must be a list"),
            ('all = [{ of = ["U0A"] }, { of = ["U0A", "bob"] }]', f".all[1].of[1]: {NO_VOICE}"),
            ('all = [{ of = ["U0A", "U0A"] }]', f".all[0].of: {TWICE}"),
            ('all = [{ of = ["S0A"], approvals = 0 }]', ".all[0].approvals: must be 1 or more"),
            ('any = [{ of = ["S0A"], approvals = 101 }]', ".any[0].approvals: must be 100 or fewer"),
            ('all = [{ of = ["S0A"], approvals = "2" }]', ".all[0].approvals: must be a whole number without quotes"),
            ('any = [{ of = ["S0A"] }, { of = ["U0A"], approvals = 2 }]',
             ".any[1].approvals: asks for 2 approvals, but there is only 1 to give them"),
            ('all = [{ of = ["U0A", "U0B"], approvals = 3 }]',
             ".all[0].approvals: asks for 3 approvals, but there are only 2 to give them"),
            ('all = [{ of = ["U0A"], aprovals = 2 }]', ".all[0].aprovals: is not known; did you mean approvals?"),
            ('any = [{ of = ["U0A"], count = 2 }]', ".any[0].count: is not known; what may stand here: of, approvals"),
            ('any = [{ of = ["U0A", "lead-of-requester"] }]', f".any[0].of[1]: {NO_TEAM}"),
            ('all = [{ of = ["U0A"] }, { of = ["U0A"] }]', f": {ONE_SEAT}"),
            ('all = [{ of = ["U0A", "U0B"] }, { of = ["U0A"] }, { of = ["U0B"] }]', f": {ONE_SEAT}"),
            ('all = [{ of = ["U0A"] }]\nany = [{ of = ["U0A"] }]', f": {ONE_SEAT}"),
        ],
    )  # fmt: skip
    def test_approvers(self, faults: Faults, approvers: str, told: str) -> None:
        """A mistake in a group of approvers is told by the place where it stands, however deep that is."""
        assert faults(completed(f"{HQ}[[policy]]\n{approvers}\n")) == [f"policy[0]{told}"]

    @pytest.mark.parametrize(
        "approvers",
        [
            'all = [{ of = ["U0A", "U0B"] }, { of = ["U0A"] }]',
            'all = [{ of = ["U0A"] }, { of = ["U0A", "S0B"] }]',
            'all = [{ of = ["U0A"] }]\nany = [{ of = ["U0A"] }, { of = ["U0B"] }]',
            'all = [{ of = ["U0A"] }]\nany = [{ of = ["U0A"] }, { of = ["S0B"] }]',
            'any = [{ of = ["S0A"], approvals = 100 }]',
        ],
    )
    def test_enough_people(self, tmp_path: Path, approvers: str) -> None:
        """A rule is good if there is one way to give each seat a person, as far as the file tells."""
        assert loaded(f"{HQ}[[policy]]\n{approvers}\n", tmp_path).policy


class TestAllRules:
    @pytest.mark.parametrize(
        ("rules", "told"),
        [
            (["", ""], [f"policy[1]: {UNUSED}"]),
            (['pbx = ["hq"]', ""], [f"policy[1]: {UNUSED}"]),
            (['kind = ["import", "apply", "trusted"]', ""], [f"policy[1]: {UNUSED}"]),
            (['risk = ["wildcard", "weak_key"]', 'risk = ["weak_key"]'], [f"policy[1]: {UNUSED}"]),
            (['requester = ["U0A", "S0B"]', 'requester = ["S0B"]\nkind = ["import"]'], [f"policy[1]: {UNUSED}"]),
        ],
    )
    def test_unused(self, faults: Faults, rules: list[str], told: list[str]) -> None:
        """A rule behind one that takes all that it is for is a mistake, because the first that matches counts."""
        assert faults(completed(HQ + "".join(f"[[policy]]\n{rule}\n{ALL}" for rule in rules))) == told

    @pytest.mark.parametrize(
        ("pbx", "rule", "told"),
        [
            ("", 'risk = ["wildcard"]', "approvers: is missing, and there is no [[policy]] that takes every request for hq"),
            ("", 'requester = ["U0A"]', "approvers: is missing, and there is no [[policy]] that takes every request for hq"),
            ("", 'kind = ["import"]',
             "approvers: is missing, and there is no [[policy]] that takes every request of the kind trusted or apply for hq"),
            ('requesters = ["U0A"]', "", "requesters: counts only together with approvers; in a [[policy]] it is ask"),
            ("approvals = 1", "", "approvals: counts only together with approvers; in a [[policy]] it is approvals beside of"),
        ],
    )  # fmt: skip
    def test_a_pbx_without_approvers(self, faults: Faults, pbx: str, rule: str, told: str) -> None:
        """A PBX whose requests some rule does not take needs approvers; without them its other keys would say nothing."""
        assert faults(completed(f"{BARE}{pbx}\n[[policy]]\n{rule}\n{ALL}")) == [f"pbx[0].{told}"]

    def test_all_at_once(self, faults: Faults) -> None:
        """Mistakes in several rules come together, in the order of the file."""
        first, second = 'all = [{ of = ["bob"] }]\n', 'kind = ["ca"]\nemergency = { by = ["x"] }\n'
        text = f"{HQ}[[policy]]\n{first}[[policy]]\n{second}{ALL}"
        assert [line.partition(": ")[0] for line in faults(completed(text))] == [
            "policy[0].all[0].of[0]", "policy[1].kind[0]", "policy[1].emergency.by[0]",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[policy]\n" + ALL, "policy: must be written as [[policy]], in double brackets"),
        ('[team]\nname = "voice"\n', "team: must be written as [[team]], in double brackets"),
        (TEAM.replace("voice", "two words"), "team[0].name: must be 1 to 40 letters, digits, dots, dashes or underscores, and "
         "begin with a letter or a digit"),
        (TEAM.replace('["S0TECHS"]', "[]"), "team[0].members: must hold at least one"),
        (TEAM.replace("S0TECHS", "lead-of-requester"), f"team[0].members[0]: {NO_PERSON}"),
        (TEAM.replace('leads = ["U0LEAD"]\n', ""), "team[0].leads: is missing"),
        (TEAM.replace("U0LEAD", "lena"), f"team[0].leads[0]: {NO_PERSON}"),
        (TEAM.replace('["U0LEAD"]', '["U0LEAD", "U0LEAD"]'), f"team[0].leads: {TWICE}"),
        (TEAM + "lead = 1\n", "team[0].lead: is not known; did you mean leads?"),
        (TEAM + TEAM.replace("voice", "Voice"), "team[1].name: is the same as team[0].name"),
        ("[[risk]]\n", "risk: must be a table"),
        ("[risk]\nlongest_validity = 398\n", f"risk.longest_validity: {NO_TIME}"),
        ("[risk]\nlongest = 1\n", "risk.longest: is not known; did you mean longest_validity?"),
        ('[audit]\nchannel = "#audit"\n', f"audit.channel: {NO_CHANNEL}"),
        ('[audit]\nwitness_at = "6"\n', 'audit.witness_at: must be a time of day such as "09:00"'),
        ('[audit]\npersonal_data_for = "0d"\n', "audit.personal_data_for: must be longer than nothing"),
        ("[audit]\nkeep = 1\n", "audit.keep: is not known; what may stand here: channel, witness_at, personal_data_for"),
        ('[slack]\noutsiders = ["T0A", "S0A"]\n', 'slack.outsiders[1]: must be the id of a user ("U…", "W…") or of a workspace '
         '("T…")'),
        ('[slack]\noutsiders = ["U0A", "U0A"]\n', f"slack.outsiders: {TWICE}"),
        ('[slack]\noutsiders = "U0A"\n', "slack.outsiders: must be a list"),
        ('[slack]\ndigest_at = "24:00"\n', 'slack.digest_at: must be a time of day such as "09:00"'),
        ("[slack]\ndigest_at = 9\n", 'slack.digest_at: must be a time of day such as "09:00"'),
        ('[slack]\ntimezone = "Mars/Olympus"\n', f"slack.timezone: {NO_ZONE}"),
        ('[slack]\ntimezone = "../../etc/passwd"\n', f"slack.timezone: {NO_ZONE}"),
        ('[slack]\noperators_channel = "U0OPS"\n', f"slack.operators_channel: {NO_CHANNEL}"),
        ('[slack]\noperators_channel = 1\n', 'slack.operators_channel: must be text in quotes, such as "text"'),
        ('[slack]\noperators = ["ops"]\n', f"slack.operators[0]: {NO_PERSON}"),
    ],
)  # fmt: skip
def test_the_other_tables(faults: Faults, text: str, told: str) -> None:
    """A mistake beside the rules is told by its table, its key and its index, too."""
    assert faults(completed(text + HQ)) == [told]
