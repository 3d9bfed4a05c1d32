// Where a person is: as whom, in which conversation, thread and pane. It stands in the address, so that a reload stays there.

const KEYS = ["as", "channel", "thread", "tab"];
const listeners = [];
export const where = {};

function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const key of KEYS) where[key] = given.get(key) ?? "";
}

// Goes somewhere; what is not named stays, and another channel or person closes the thread.
export function go(changes) {
  if ("channel" in changes && changes.channel !== where.channel && !("thread" in changes)) where.thread = "";
  if ("channel" in changes && !("tab" in changes)) where.tab = "";
  Object.assign(where, changes);
  const given = new URLSearchParams(KEYS.filter((key) => where[key]).map((key) => [key, where[key]]));
  history.replaceState(null, "", `#${given}`);
  for (const listener of listeners) listener(changes);
}

export const onGo = (listener) => listeners.push(listener);

// A link on the page (`#channel=…`) names only what it changes.
addEventListener("hashchange", () => {
  const given = new URLSearchParams(location.hash.slice(1));
  const changes = Object.fromEntries([...given].filter(([key]) => KEYS.includes(key)));
  go(changes);
  pane(where.thread ? "thread" : "talk");
});

read();

// Where a message's link leads on this page; null for any other address.
export function permalink(address) {
  const own = address.match(/\/archives\/(\w+)\/p(\d+)(\d{6})(?:\?thread_ts=([\d.]+))?/);
  return own && `#channel=${own[1]}&thread=${own[4] ?? `${own[2]}.${own[3]}`}`;
}

// On narrow screens one pane is on display.
export function pane(name) {
  document.getElementById("app").dataset.pane = name;
  for (const button of document.querySelectorAll("#panes button")) {
    button.setAttribute("aria-pressed", String(button.dataset.pane === name));
  }
}

export const onePane = () => matchMedia("(max-width: 900px)").matches;
