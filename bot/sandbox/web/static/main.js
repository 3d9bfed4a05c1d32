// The page: reads what the server sends, and shows it.

import { h } from "./dom.js";
import { showModals } from "./modal.js";
import { showPanel } from "./panel.js";
import { showActing, showSidebar } from "./sidebar.js";
import { all, connect, get, onChange } from "./store.js";
import { showTalk } from "./talk.js";
import { clearToasts, tellNotices } from "./toasts.js";
import { go, onGo, pane, where } from "./where.js";

let at = "";

function show() {
  if (!get("me")) return;
  if (!get(`channel:${where.channel}`)) return elsewhere();
  showActing();
  showSidebar();
  showTalk();
  showPanel();
  showModals();
  tellNotices();
  const waiting = Object.values(get("unread").channels).reduce((sum, count) => sum + count, 0);
  document.title = `${waiting ? `(${waiting}) ` : ""}${get("me").name} · Sandbox`;
  document.body.dataset.ready = get("me").id;
}

// Somebody else sees another conversation with the app, and other channels; who was at home is at home there, too.
function elsewhere() {
  const own = where.tab === "home" ? [...all("channel:")].find((channel) => channel.im)?.id : null;
  const channel = own ?? visible();
  if (channel) go({ channel, thread: "", tab: own ? "home" : "" });
}

function visible() {
  const { home } = get("workspace");
  return [home, ...Object.keys(get("names").channels)].find((id) => get(`channel:${id}`));
}

onChange(show);
onGo((changes) => {
  if ("as" in changes && changes.as !== get("me")?.id) {
    clearToasts();
    connect(changes.as);
  } else show();
});

const PANES = [["side", "Channels"], ["talk", "Messages"], ["thread", "Thread"], ["panel", "PBXs"]];
document.getElementById("panes").append(
  ...PANES.map(([name, text]) =>
    h("button", { type: "button", data: { pane: name }, on: { click: () => (pane(name), show()) } }, text)));
pane("talk");

document.addEventListener("visibilitychange", show);
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.overflow[open]")) if (!menu.contains(event.target)) menu.open = false;
});

connect(where.as);
