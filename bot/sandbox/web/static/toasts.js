// Notices of Slack's own, apart from any message of the app. They stay in reach while a dialog is open.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { get } from "./store.js";

const box = document.getElementById("toasts");
let seen = { user: "", count: 0 };

export function toast(sentence, { sticky = false } = {}) {
  for (const old of box.children) if (old.dataset.sentence === sentence) old.remove();
  const close = h("button", { type: "button", class: "plain", "aria-label": "Dismiss", on: { click: () => shown.remove() } }, icon("close"));
  const shown = h("div", { class: "toast", role: "alert", data: { sentence } }, h("p", {}, sentence), close);
  box.append(shown);
  while (box.children.length > 3) box.firstChild.remove();
  if (!sticky) setTimeout(() => shown.remove(), 9000);
}

export function clearToasts() {
  box.replaceChildren();
}

// Whoever is looked at next brings notices along that they were told before.
export function tellNotices() {
  const user = get("me").id;
  const notices = get("notices");
  if (seen.user === user) for (const sentence of notices.slice(seen.count)) toast(sentence, { sticky: true });
  seen = { user, count: notices.length };
}

// The topmost dialog makes everything behind it inert, so the notices move into it.
export function placeToasts() {
  const open = [...document.querySelectorAll("dialog[open]")];
  const top = open.find((dialog) => dialog.id === "confirm") ?? open[0] ?? document.body;
  if (box.parentElement !== top) top.append(box);
}
