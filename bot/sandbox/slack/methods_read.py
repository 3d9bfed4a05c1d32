"""auth, apps, conversations, users and user groups: docs.slack.dev/reference/methods, the page of each name."""

from __future__ import annotations

import secrets
from decimal import Decimal, InvalidOperation

from bot.sandbox.slack.asked import Asked, Method, page
from bot.sandbox.slack.conversations import joined_channel, replies, scope_family, to_json, top_level, visible_channel
from bot.sandbox.slack.errors import ApiRefusal
from bot.sandbox.slack.records import Channel, Group, Json, Member, Message


def auth_test(asked: Asked) -> Json:
    state = asked.state
    return {
        "url": f"{state.origin}/",
        "team": "Sandbox",
        "user": state.app.bot_name,
        "team_id": state.team,
        "user_id": state.bot_user,
        "bot_id": state.bot_id,
        "is_enterprise_install": False,
    }


def connections_open(asked: Asked) -> Json:
    if not asked.state.app.socket_mode:
        raise ApiRefusal("socket_mode_not_enabled")
    ticket = secrets.token_hex(12)
    asked.state.tickets.add(ticket)
    address = asked.state.origin.replace("http://", "ws://")
    return {"url": f"{address}/link/?ticket={ticket}&app_id={asked.state.app_id}"}


def _readable(asked: Asked, half: str) -> Channel:
    """A conversation the app is in, provided that it holds the scope for this kind of conversation."""
    channel = visible_channel(asked.state, asked.required("channel"))
    asked.need(f"{scope_family(channel)}:{half}")
    return channel


def _moment(asked: Asked, name: str, default: str) -> Decimal:
    try:
        return Decimal(asked.text(name) or default)
    except InvalidOperation:
        raise ApiRefusal(f"invalid_ts_{name}") from None


def _within(asked: Asked, messages: list[Message]) -> list[Message]:
    """Between ``oldest`` and ``latest``, both of them excluded unless ``inclusive``."""
    oldest, latest = _moment(asked, "oldest", "0"), _moment(asked, "latest", "1e12")
    if asked.flag("inclusive"):
        return [m for m in messages if oldest <= Decimal(m.ts) <= latest]
    return [m for m in messages if oldest < Decimal(m.ts) < latest]


def _shown(asked: Asked, channel: Channel, messages: list[Message]) -> Json:
    found, members = page(messages, asked, 100, 999)
    metadata = asked.flag("include_all_metadata")
    return {"messages": [to_json(channel, m, metadata=metadata) for m in found], **members}


def history(asked: Asked) -> Json:
    channel = _readable(asked, "history")
    joined_channel(asked.state, channel.id)
    found = _within(asked, top_level(channel))
    return _shown(asked, channel, found[::-1])


def conversation_replies(asked: Asked) -> Json:
    channel = _readable(asked, "history")
    joined_channel(asked.state, channel.id)
    parent = channel.find(asked.required("ts"))
    if parent is None or parent.viewer:
        raise ApiRefusal("thread_not_found")
    below = [] if parent.is_reply else _within(asked, replies(channel, parent.ts))
    return _shown(asked, channel, [parent, *below])


def conversations_open(asked: Asked) -> Json:
    asked.need("im:write")
    users = asked.required("users").split(",")
    if len(users) != 1:
        raise ApiRefusal("too_many_users")
    if users[0] not in asked.state.members or users[0] == asked.state.bot_user:
        raise ApiRefusal("user_not_found")
    if asked.state.members[users[0]].deleted:
        raise ApiRefusal("user_disabled")
    return {"channel": {"id": asked.state.im(users[0]).id}}


def conversations_info(asked: Asked) -> Json:
    channel = _readable(asked, "read")
    shown: Json = {
        "id": channel.id,
        "is_channel": not channel.private,
        "is_group": channel.private and not channel.im_with,
        "is_im": channel.im_with is not None,
        "is_private": channel.private,
        "is_archived": False,
        "is_member": asked.state.bot_user in channel.members,
    }
    return {"channel": shown | ({"user": channel.im_with} if channel.im_with else {"name": channel.name})}


def conversations_members(asked: Asked) -> Json:
    channel = _readable(asked, "read")
    found, members = page(sorted(channel.members), asked, 100, 1000)
    return {"members": found, **members}


def users_info(asked: Asked) -> Json:
    member = asked.state.members.get(asked.required("user"))
    if member is None:
        raise ApiRefusal("user_not_found")
    return {"user": user_json(asked, member)}


def user_json(asked: Asked, member: Member) -> Json:
    """docs.slack.dev/reference/objects/user-object: a deactivated person's lacks most; a stranger shares no channel with us."""
    profile = {"real_name": member.name, "display_name": member.name}
    team = member.team or asked.state.team
    shown: Json = {"id": member.id, "team_id": team, "name": member.name, "deleted": member.deleted, "is_bot": member.is_bot}
    if member.deleted:
        return shown | {"profile": profile}
    known: Json = {"real_name": member.name, "profile": profile, "is_restricted": bool(member.guest)}
    known["is_ultra_restricted"] = member.guest == "single-channel"
    if team != asked.state.team:
        shared = (one for one in asked.state.channels.values() if not one.im_with and asked.state.bot_user in one.members)
        known["is_stranger"] = not any(member.id in channel.members for channel in shared)
    return shown | known


def group_json(asked_team: str, group: Group, *, users: bool) -> Json:
    shown: Json = {
        "id": group.id,
        "team_id": asked_team,
        "is_usergroup": True,
        "name": group.handle,
        "handle": group.handle,
        "date_delete": 0,
        "user_count": len(group.members),
    }
    return shown | ({"users": list(group.members)} if users else {})


def usergroups_list(asked: Asked) -> Json:
    users = asked.flag("include_users")
    groups = asked.state.groups.values()
    return {"usergroups": [group_json(asked.state.team, group, users=users) for group in groups]}


def usergroups_users_list(asked: Asked) -> Json:
    group = asked.state.groups.get(asked.required("usergroup"))
    if group is None:
        raise ApiRefusal("no_such_subteam")
    return {"users": list(group.members)}


METHODS = {
    "auth.test": Method(auth_test),
    "apps.connections.open": Method(connections_open, token="app"),
    "conversations.history": Method(history),
    "conversations.replies": Method(conversation_replies),
    "conversations.open": Method(conversations_open),
    "conversations.info": Method(conversations_info),
    "conversations.members": Method(conversations_members),
    "users.info": Method(users_info, "users:read"),
    "usergroups.list": Method(usergroups_list, "usergroups:read"),
    "usergroups.users.list": Method(usergroups_users_list, "usergroups:read"),
}
