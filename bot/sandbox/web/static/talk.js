// The conversation in the middle, the app's home beside its messages, and the thread in its own pane.

import { act } from "./api.js";
import { composer } from "./composer.js";
import { h } from "./dom.js";
import { many } from "./format.js";
import { icon } from "./icons.js";
import { markRead, replies, showList, topLevel } from "./messages.js";
import { get, signature } from "./store.js";
import { ViewBody } from "./view.js";
import { go, onePane, pane, where } from "./where.js";

const talk = document.getElementById("talk");
const side = document.getElementById("thread");
let built = "";
let threadBuilt = "";
let list = null;
let threadList = null;
let home = null;
let opened = "";

export function showTalk() {
  const channel = get(`channel:${where.channel}`);
  if (!channel) return;
  const frame = JSON.stringify([get("me").id, signature(`channel:${channel.id}`), signature("workspace"), where.tab]);
  if (frame !== built) build(channel);
  built = frame;
  if (!home) opened = "";
  if (home) showHome();
  else showMessages(channel);
  showThread(channel);
}

function build(channel) {
  const focused = talk.contains(document.activeElement) && document.activeElement.tagName === "TEXTAREA";
  const home_ = channel.im && where.tab === "home";
  const tab = talk.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  list = home_ ? null : scroller("Messages");
  home = home_ ? new ViewBody(h("div", { class: "blocks" })) : null;
  const body = home
    ? [h("div", { class: "home", role: "region", "aria-label": "Home", tabindex: 0 }, home.root)]
    : [list, write(channel, "")];
  talk.replaceChildren(head(channel), ...body);
  if (list) list.dataset.jump = "1";
  if (focused) talk.querySelector("textarea")?.focus();
  else if (tab) talk.querySelector(`[data-focus="${CSS.escape(tab)}"]`)?.focus();
  if (home) openHome();
}

// The app hears of it each time a person comes to its home, also by a reload or by acting as somebody else.
function openHome() {
  const place = `${get("me").id}/${where.channel}`;
  if (opened !== place) act("home");
  opened = place;
}

const scroller = (label) => h("div", { class: "messages", role: "log", "aria-label": label, tabindex: 0 });

function head(channel) {
  const workspace = get("workspace");
  const name = channel.im ? workspace.app : [channel.private ? icon("lock") : "#", channel.name];
  const tab = (key, text) => h("button", {
    type: "button", class: "tab", "aria-pressed": String(where.tab === key), data: { focus: `tab-${key}` },
    on: { click: () => go({ tab: key }) },
  }, text);
  const tabs = channel.im && workspace.home_tab && h("div", { class: "tabs" }, tab("home", "Home"), tab("", "Messages"));
  const about = channel.im ? "App" : many(channel.people, "member");
  return h("header", { class: "head" }, h("h2", {}, name), h("p", { class: "about" }, about), tabs);
}

function write(channel, thread) {
  if (channel.im && !get("workspace").can_write) {
    return h("p", { class: "composer closed" }, "Sending messages to this app has been turned off.");
  }
  if (!channel.member) return h("p", { class: "composer closed" }, `You are not a member of #${channel.name}.`);
  const to = channel.im ? get("workspace").app : `#${channel.name}`;
  return composer({ channel: channel.id, thread, label: thread ? "Reply …" : `Message ${to}, or / for commands` });
}

function showMessages(channel) {
  const messages = topLevel(channel.id);
  showList(list, messages);
  if (!onePane() || document.getElementById("app").dataset.pane === "talk") markRead(channel.id, "", messages);
}

function showHome() {
  const view = get("home");
  if (view) home.show({ ...view, errors: {} });
  else home.root.replaceChildren(h("p", { class: "about" }, "The app has not published its home yet."));
}

function showThread(channel) {
  const parent = where.thread && get(`message:${channel.id}:${where.thread}`);
  side.hidden = !parent;
  document.getElementById("app").classList.toggle("with-thread", Boolean(parent));
  if (!parent) return void ((threadBuilt = ""), side.replaceChildren());
  const frame = JSON.stringify([get("me").id, signature(`channel:${channel.id}`), parent.ts]);
  if (frame !== threadBuilt) buildThread(channel, parent);
  threadBuilt = frame;
  const below = replies(channel.id, parent.ts);
  showList(threadList, [parent, ...below], { thread: true });
  if (!onePane() || document.getElementById("app").dataset.pane === "thread") markRead(channel.id, parent.ts, below);
}

function buildThread(channel, parent) {
  threadList = scroller("Thread");
  threadList.dataset.jump = "1";
  const close = h("button", { type: "button", class: "plain", "aria-label": "Close thread", on: { click: closeThread } }, icon("close"));
  side.replaceChildren(
    h("header", { class: "head" }, h("h2", {}, "Thread"), h("p", { class: "about" }, channel.im ? "" : `#${channel.name}`), close),
    threadList, write(channel, parent.ts));
  if (!document.activeElement || document.activeElement === document.body) close.focus();
}

export function closeThread() {
  const ts = where.thread;
  go({ thread: "" });
  pane("talk");
  talk.querySelector(`[data-focus="thread-${ts}"]`)?.focus();
}

side.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) closeThread();
});
