// As whom a person acts, and their conversations.

import { h, reconcile, roving } from "./dom.js";
import { hue, initials, many } from "./format.js";
import { icon } from "./icons.js";
import { all, get, online, signature } from "./store.js";
import { go, pane, where } from "./where.js";

export function showActing() {
  const me = get("me").id;
  const box = document.getElementById("acting");
  const items = get("people").map((person) => ({
    key: person.id,
    signature: JSON.stringify([person, person.id === me]),
    make: () => personButton(person, person.id === me),
  }));
  const focused = box.contains(document.activeElement) && document.activeElement.dataset.key;
  reconcile(box, items);
  if (focused) box.querySelector(`[data-key="${focused}"]`)?.focus();
}

function personButton(person, active) {
  const waiting = !active && person.waiting ? h("span", { class: "badge", "aria-hidden": "true" }, String(person.waiting)) : null;
  const news = waiting ? `, ${many(person.waiting, "unread message")}` : "";
  return h("button", {
    type: "button", class: "person", "aria-pressed": String(active), title: `Act as ${person.name}`,
    "aria-label": `Act as ${person.name}, ${person.role}${news}`, on: { click: () => go({ as: person.id, thread: where.thread }) },
  }, avatar(person.id, person.name), h("span", { class: "who" }, h("span", { class: "name" }, person.name),
    h("span", { class: "role" }, person.role)), waiting);
}

export const avatar = (id, name) => {
  const app = id === get("workspace")?.bot;
  return h("span", { class: `avatar ${app ? "app" : `hue${hue(id)}`}`, "aria-hidden": "true" }, initials(name));
};

let settle = null;

export function showSidebar() {
  const side = document.getElementById("side");
  settle ??= roving(side, "button");
  const channels = [...all("channel:")];
  const ours = channels.filter((channel) => !channel.im);
  const items = [
    heading("Channels"), ...ours.map(entry),
    heading("Apps"), ...channels.filter((channel) => channel.im).map(entry),
    { key: "state", signature: String([online, get("workspace").connected]), make: state },
  ];
  const focused = side.contains(document.activeElement) && document.activeElement.dataset.key;
  reconcile(side, items);
  if (focused) side.querySelector(`[data-key="${focused}"]`)?.focus();
  settle();
}

const heading = (text) => ({ key: text, signature: text, make: () => h("h2", {}, text) });

function entry(channel) {
  const unread = get("unread");
  const threads = Object.entries(unread.threads).filter(([key]) => key.startsWith(`${channel.id}/`));
  const count = (unread.channels[channel.id] ?? 0) + threads.reduce((sum, [, more]) => sum + more, 0);
  const here = where.channel === channel.id;
  const name = channel.im ? get("workspace").app : channel.name;
  const make = () => h("button", {
    type: "button", class: `conversation ${count ? "unread" : ""}`, "aria-current": here ? "true" : null,
    on: { click: () => (go({ channel: channel.id }), pane("talk")) },
  },
  channel.im ? avatar(get("workspace").bot, name) : h("span", { class: "sign", "aria-hidden": "true" }, icon(channel.private ? "lock" : "hash")),
  h("span", { class: "name" }, name),
  count ? h("span", { class: "badge" }, String(count), h("span", { class: "hidden" }, " unread")) : null);
  return { key: channel.id, signature: JSON.stringify([signature(`channel:${channel.id}`), count, here, name]), make };
}

function state() {
  if (!online) return h("p", { class: "state bad" }, "The sandbox does not answer; trying again …");
  const connected = get("workspace").connected;
  return h("p", { class: `state ${connected ? "good" : "bad"}` }, connected ? "The bot is connected" : "The bot is not connected");
}
