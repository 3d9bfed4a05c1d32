"""Messages and conversations (docs.slack.dev/reference/methods, the pages of chat.* and conversations.*)."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.unit.slack_app import MANIFEST, client, manifest, refusal, workspace

DIVIDER = {"type": "divider"}


def test_messages_go_only_where_the_app_is() -> None:
    """Unknown and foreign private channels do not exist; a public one the bot is not in is not_in_channel."""
    with workspace() as ws:
        public = ws.add_channel("public", bot=False)
        private = ws.add_channel("private", bot=False, private=True)
        post = client(ws).chat_postMessage
        assert refusal(post, channel="C404", text="a")["error"] == "channel_not_found"
        assert refusal(post, channel=private.id, text="a")["error"] == "channel_not_found"
        assert refusal(post, channel=public.id, text="a")["error"] == "not_in_channel"


def test_a_message_has_limits() -> None:
    """No text, more than 40,000 characters, more than 50 blocks and wrong blocks are refused, the last with a pointer."""
    with workspace() as ws:
        room, post = ws.add_channel("certs").id, client(ws).chat_postMessage
        assert refusal(client(ws).api_call, api_method="chat.postMessage", json={"channel": room})["error"] == "no_text"
        assert refusal(post, channel=room, text="x" * 40_001)["error"] == "msg_too_long"
        assert refusal(post, channel=room, text="a", blocks=[DIVIDER] * 51)["error"] == "invalid_blocks"
        answer = refusal(post, channel=room, text="a", blocks=[{"type": "header", "text": {"type": "mrkdwn", "text": "a"}}])
        assert answer["error"] == "invalid_blocks"
        assert "[json-pointer:/blocks/0/text]" in answer["response_metadata"]["messages"][0]


def test_a_person_s_id_leads_to_their_direct_messages() -> None:
    """A message to a user id stands in the direct conversation, the one that conversations.open names."""
    with workspace() as ws:
        ana = ws.add_person("ana")
        sent = client(ws).chat_postMessage(channel=ana.id, text="hello")
        assert sent["channel"] == client(ws).conversations_open(users=ana.id)["channel"]["id"]
        assert [message["text"] for message in ana.dms()] == ["hello"]


def test_the_messages_tab_must_be_enabled() -> None:
    """Without the messages tab in the manifest there are no direct messages."""
    with workspace(manifest=MANIFEST | {"features": {}}) as ws:
        answer = refusal(client(ws).chat_postMessage, channel=ws.add_person("ana").id, text="a")
        assert answer["error"] == "messages_tab_disabled"


def test_an_update_keeps_what_it_does_not_name() -> None:
    """chat.update without blocks or metadata keeps them, and an empty list removes blocks."""
    metadata = {"event_type": "card", "event_payload": {"request": 42}}
    with workspace() as ws:
        room, api = ws.add_channel("certs"), client(ws)
        ts = api.chat_postMessage(channel=room.id, text="a", blocks=[DIVIDER], metadata=metadata)["ts"]
        api.chat_update(channel=room.id, ts=ts, text="b")
        assert ws.messages(room)[0]["blocks"][0]["type"] == "divider"
        assert ws.messages(room)[0]["metadata"] == metadata
        api.chat_update(channel=room.id, ts=ts, text="b", blocks=[])
        assert "blocks" not in ws.messages(room)[0]


def test_only_own_messages_are_changed() -> None:
    """Updating or deleting a person's message or none is refused, and the bot's own message can go."""
    with workspace() as ws:
        ana = ws.add_person("ana")
        room, api = ws.add_channel("certs", [ana]), client(ws)
        theirs = ana.say(room, "mine")["ts"]
        assert refusal(api.chat_update, channel=room.id, ts=theirs, text="b")["error"] == "cant_update_message"
        assert refusal(api.chat_delete, channel=room.id, ts=theirs)["error"] == "cant_delete_message"
        assert refusal(api.chat_update, channel=room.id, ts="1.1", text="b")["error"] == "message_not_found"
        own = api.chat_postMessage(channel=room.id, text="a")["ts"]
        api.chat_delete(channel=room.id, ts=own)
        assert [message["ts"] for message in ws.messages(room)] == [theirs]


def test_an_ephemeral_message_is_for_one_member() -> None:
    """Only its person sees an ephemeral message, it is not in the history, and outsiders get none."""
    with workspace() as ws:
        ana, ben = ws.add_person("ana"), ws.add_person("ben")
        room, api = ws.add_channel("certs", [ana]), client(ws)
        api.chat_postEphemeral(channel=room.id, user=ana.id, text="psst")
        assert [message["text"] for message in ana.messages(room)] == ["psst"]
        assert ws.messages(room) == []
        assert api.conversations_history(channel=room.id)["messages"] == []
        answer = refusal(api.chat_postEphemeral, channel=room.id, user=ben.id, text="psst")
        assert answer["error"] == "user_not_in_channel"


def test_history_is_newest_first_in_pages_with_metadata_on_request() -> None:
    """conversations.history pages backwards, leaves replies out and shows metadata only when asked."""
    with workspace() as ws:
        room, api = ws.add_channel("certs"), client(ws)
        sent = [
            api.chat_postMessage(channel=room.id, text=str(n), metadata={"event_type": "e", "event_payload": {"n": n}})["ts"]
            for n in range(3)
        ]
        api.chat_postMessage(channel=room.id, text="reply", thread_ts=sent[0])
        first = api.conversations_history(channel=room.id, limit=2)
        assert [message["text"] for message in first["messages"]] == ["2", "1"]
        assert "metadata" not in first["messages"][0]
        cursor = first["response_metadata"]["next_cursor"]
        last = api.conversations_history(channel=room.id, limit=2, cursor=cursor, include_all_metadata=True)
        assert [message["metadata"]["event_payload"]["n"] for message in last["messages"]] == [0]
        assert (last["has_more"], last["messages"][0]["reply_count"]) == (False, 1)


def test_history_between_two_moments() -> None:
    """oldest and latest are excluded unless inclusive is set."""
    with workspace() as ws:
        room, api = ws.add_channel("certs"), client(ws)
        sent = [api.chat_postMessage(channel=room.id, text=str(n))["ts"] for n in range(4)]
        bounds = {"channel": room.id, "oldest": sent[1], "latest": sent[3]}
        assert [m["text"] for m in api.conversations_history(**bounds)["messages"]] == ["2"]
        assert [m["text"] for m in api.conversations_history(**bounds, inclusive=True)["messages"]] == ["3", "2", "1"]


def test_a_thread_is_read_with_its_parent() -> None:
    """conversations.replies gives the parent and its replies in order; an unknown parent is thread_not_found."""
    with workspace() as ws:
        room, api = ws.add_channel("certs"), client(ws)
        parent = api.chat_postMessage(channel=room.id, text="parent")["ts"]
        below = api.chat_postMessage(channel=room.id, text="reply", thread_ts=parent)["ts"]
        found = api.conversations_replies(channel=room.id, ts=parent)["messages"]
        assert [message["text"] for message in found] == ["parent", "reply"]
        assert [message["ts"] for message in ws.messages(room, parent)] == [below]
        assert refusal(api.conversations_replies, channel=room.id, ts="1.1")["error"] == "thread_not_found"


def test_reading_needs_the_scope_of_the_kind_of_conversation() -> None:
    """A private channel's history needs groups:history, and a public one is not readable by it."""
    with workspace(manifest=manifest(without=("channels:history",))) as ws:
        public, private = ws.add_channel("public"), ws.add_channel("private", private=True)
        assert client(ws).conversations_history(channel=private.id)["ok"]
        assert refusal(client(ws).conversations_history, channel=public.id)["needed"] == "channels:history"


def test_a_channel_the_bot_is_not_in_cannot_be_read() -> None:
    """conversations.history of a public channel the bot is not in is not_in_channel."""
    with workspace() as ws:
        room = ws.add_channel("public", bot=False)
        assert refusal(client(ws).conversations_history, channel=room.id)["error"] == "not_in_channel"
        assert client(ws).conversations_info(channel=room.id)["channel"]["is_member"] is False


def test_members_people_and_groups_are_listed() -> None:
    """conversations.members, users.info and usergroups.* tell what the workspace holds."""
    with workspace() as ws:
        ana, ben = ws.add_person("ana"), ws.add_person("ben")
        room, api = ws.add_channel("certs", [ana]), client(ws)
        leads = ws.add_group("leads", [ana, ben])
        assert set(api.conversations_members(channel=room.id)["members"]) == {ana.id, ws.bot_user}
        assert api.users_info(user=ben.id)["user"]["name"] == "ben"
        assert api.usergroups_users_list(usergroup=leads)["users"] == [ana.id, ben.id]
        assert api.usergroups_list()["usergroups"][0]["handle"] == "leads"
        assert refusal(api.usergroups_users_list, usergroup="S404")["error"] == "no_such_subteam"


def test_a_permalink_names_channel_and_message() -> None:
    """chat.getPermalink of a reply leads to its thread."""
    with workspace() as ws:
        room, api = ws.add_channel("certs"), client(ws)
        parent = api.chat_postMessage(channel=room.id, text="a")["ts"]
        below = api.chat_postMessage(channel=room.id, text="b", thread_ts=parent)["ts"]
        link = api.chat_getPermalink(channel=room.id, message_ts=below)["permalink"]
        assert link.endswith(f"/archives/{room.id}/p{below.replace('.', '')}?thread_ts={parent}&cid={room.id}")


def test_timestamps_never_repeat() -> None:
    """Messages get growing timestamps although the clock stands still."""
    with workspace(now=lambda: datetime(2026, 1, 1, tzinfo=UTC)) as ws:
        room = ws.add_channel("certs").id
        sent = [client(ws).chat_postMessage(channel=room, text="a")["ts"] for _ in range(3)]
        assert sent == ["1767225600.000000", "1767225600.000001", "1767225600.000002"]
