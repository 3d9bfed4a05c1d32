// Messages, in a conversation or a thread.

import { act } from "./api.js";
import { block } from "./blocks.js";
import { h, keepingFocus, reconcile } from "./dom.js";
import { bytes, capital, dayOf, initials, long, many, pretty, short, time } from "./format.js";
import { icon } from "./icons.js";
import { mrkdwn } from "./mrkdwn.js";
import { avatar } from "./sidebar.js";
import { all, get, signature } from "./store.js";
import { go, pane, where } from "./where.js";

export const of = (channel) => [...all(`message:${channel}:`)].sort((a, b) => a.ts - b.ts);

const isReply = (message) => message.thread_ts && message.thread_ts !== message.ts;

export const topLevel = (channel) => of(channel).filter((message) => !isReply(message));

export const replies = (channel, ts) => of(channel).filter((message) => isReply(message) && message.thread_ts === ts);

// Keeps the end in sight for whoever is looking at it.
export function showList(list, messages, { thread = false } = {}) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  const items = [];
  let day = "";
  let before = null;
  for (const message of messages) {
    const date = new Date(message.ts * 1000);
    if (!thread && dayOf(date) !== day) items.push(divider((day = dayOf(date)), date));
    items.push(item(message, thread, follows(message, before)));
    before = thread && message === messages[0] ? null : message;
  }
  keepingFocus(list, () => reconcile(list, items));
  if (atEnd || list.dataset.jump) list.scrollTop = list.scrollHeight;
  delete list.dataset.jump;
}

// What one person says in a row stands under one name, as long as it is of the same five minutes and kind.
const follows = (message, before) =>
  Boolean(before) && before.user === message.user && message.ts - before.ts < 300 && !before.is_ephemeral && !message.is_ephemeral;

const divider = (day, date) => ({
  key: day,
  signature: day + pretty(date, long),
  make: () => h("p", { class: "day" }, h("span", {}, capital(pretty(date, long)))),
});

function item(message, thread, compact) {
  const news = get("unread").threads[`${message.channel}/${message.ts}`] ?? 0;
  const open = where.thread === message.ts;
  return {
    key: `m${message.ts}`,
    signature: JSON.stringify([signature(`message:${message.channel}:${message.ts}`), thread || [news, open], compact, get("me").id, signature("names")]),
    make: () => render(message, { thread, news, open: open && !thread, compact }),
  };
}

function render(message, { thread, news, open, compact }) {
  const workspace = get("workspace");
  const app = message.user === workspace.bot;
  const name = get("names").users[message.user] ?? message.user;
  const date = new Date(message.ts * 1000);
  const kinds = [message.is_ephemeral && "ephemeral", open && "open", compact && "compact"].filter(Boolean).join(" ");
  return h("article", { class: `message ${kinds}`, "data-ts": message.ts },
    compact ? h("span", { class: "gap", "aria-hidden": "true" }, time(date)) : avatar(message.user, name),
    h("div", { class: "body" },
      message.is_ephemeral && h("p", { class: "only" }, icon("eye"), "Only visible to you"),
      h("p", { class: "from" }, h("strong", {}, name), app && h("span", { class: "tag" }, "APP"),
        h("time", { datetime: date.toISOString(), title: `${short(date)} at ${time(date)}` }, time(date))),
      content(message),
      (message.files ?? []).map((file) => h("p", { class: "file" }, icon("file"), h("span", { class: "name" }, file.name),
        h("span", { class: "about" }, bytes(file.size)))),
      !app && message.edited && h("span", { class: "about" }, "(edited)"),
      !thread && foot(message, news)));
}

function content(message) {
  if (!message.blocks?.length) return message.text && h("div", { class: "text" }, mrkdwn(message.text));
  const host = {
    press: "click", choose: "click", tick: "click",
    act: (what, given) => act(what, { channel: message.channel, ts: message.ts, ...given }),
    entered: () => undefined, flush: () => Promise.resolve(), redraw: () => {}, typed: () => {},
  };
  return h("div", { class: "blocks" }, message.blocks.map((given) => block(given, host)));
}

function foot(message, news) {
  if (message.is_ephemeral) return null;
  const open = () => {
    go({ thread: message.ts });
    pane("thread");
  };
  const focus = `thread-${message.ts}`;
  if (!message.reply_count) {
    return h("button", { type: "button", class: "reply-here", data: { focus }, on: { click: open } }, "Reply in thread");
  }
  const people = message.reply_users.map((id) => avatar(id, get("names").users[id] ?? initials(id)));
  return h("button", { type: "button", class: `replies ${news ? "unread" : ""}`, data: { focus }, on: { click: open } },
    people, h("span", { class: "count" }, many(message.reply_count, "reply").replace("replys", "replies")),
    news ? h("span", { class: "badge" }, `${news} new`) : null,
    h("span", { class: "about" }, `Last at ${time(new Date(message.latest_reply * 1000))}`));
}

const told = new Map();

// What is on display is read, if somebody can be looking.
export function markRead(channel, thread, messages) {
  const last = messages.at(-1)?.ts;
  const key = `${get("me").id}/${channel}/${thread}`;
  if (!last || document.hidden || told.get(key) >= last) return;
  told.set(key, last);
  act("read", { channel, thread, ts: last });
}
