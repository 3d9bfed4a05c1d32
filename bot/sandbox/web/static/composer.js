// Where people write: messages, slash commands, shortcuts and files.

import { act, upload } from "./api.js";
import { h, newId } from "./dom.js";
import { bytes } from "./format.js";
import { icon } from "./icons.js";
import { get } from "./store.js";

const drafts = new Map();

// A composer for one place. `thread` is empty in the conversation itself.
export function composer({ channel, thread, label }) {
  const place = `${get("me").id}/${channel}/${thread}`;
  const listId = newId("commands");
  let chosen = [];
  let found = [];
  let active = -1;

  const box = h("textarea", {
    rows: 1, placeholder: label, "aria-label": label, "aria-autocomplete": "list", "aria-controls": listId,
    value: drafts.get(place) ?? "", data: { focus: `write-${thread}` },
  });
  const list = h("ul", { id: listId, role: "listbox", class: "options up", hidden: true, "aria-label": "Commands and shortcuts" });
  const hint = h("p", { class: "usage", hidden: true, role: "status" });
  const picked = h("div", { class: "picked" });
  const file = h("input", { type: "file", multiple: true, class: "hidden-file", tabindex: -1, "aria-label": "Attach files" });
  const send = h("button", { type: "submit", class: "button primary send", "aria-label": "Send" }, icon("send"));
  const attach = h("button", { type: "button", class: "plain", "aria-label": "Attach a file", title: "Attach a file" }, icon("clip"));
  const form = h("form", { class: "composer" }, list, hint,
    h("div", { class: "frame" }, box, picked, h("div", { class: "tools" }, shortcuts(thread), attach, file, send)));

  const suggestions = () => {
    const typed = box.value;
    if (!typed.startsWith("/") || /\s/.test(typed)) return [];
    const { commands, shortcuts: global } = get("workspace");
    const named = commands.map(([name, usage, about]) => ({ name, usage, about, take: () => fill(`${name} `) }));
    const started = global.map(([id, name, about]) => ({ name, usage: "shortcut", about, take: () => (fill(""), start(id)) }));
    const wanted = typed.slice(1).toLowerCase();
    return [...named, ...started].filter(({ name }) => name.toLowerCase().replace("/", "").includes(wanted));
  };

  function suggest() {
    found = suggestions();
    active = -1;
    list.replaceChildren(...found.map(option));
    list.hidden = !found.length;
    box.removeAttribute("aria-activedescendant");
    const command = get("workspace").commands.find(([name]) => box.value.startsWith(`${name} `));
    hint.hidden = !command;
    if (command) hint.replaceChildren(h("strong", {}, command[0]), ` ${command[1]}`, h("span", { class: "about" }, command[2]));
    box.style.height = "auto";
    box.style.height = `${Math.min(box.scrollHeight, 180)}px`;
    drafts.set(place, box.value);
  }

  function option({ name, usage, about, take }, index) {
    const made = h("li", { id: `${listId}-${index}`, role: "option", "aria-selected": "false" },
      h("span", {}, h("strong", {}, name), ` ${usage}`), h("span", { class: "about" }, about));
    made.addEventListener("pointerdown", (event) => event.preventDefault());
    made.addEventListener("click", take);
    return made;
  }

  function mark(index) {
    active = (index + found.length) % found.length;
    [...list.children].forEach((child, at) => child.setAttribute("aria-selected", String(at === active)));
    box.setAttribute("aria-activedescendant", list.children[active].id);
  }

  function fill(text) {
    box.value = text;
    suggest();
    box.focus();
  }

  function take(files) {
    chosen = files;
    picked.replaceChildren(...files.map((each) => {
      const remove = () => take(chosen.filter((one) => one !== each));
      return h("span", { class: "file" }, icon("file"), h("span", { class: "name" }, each.name),
        h("span", { class: "about" }, bytes(each.size)),
        h("button", { type: "button", class: "plain", "aria-label": `Remove ${each.name}`, on: { click: remove } }, icon("close")));
    }));
  }

  async function submit() {
    const text = box.value.trim();
    if (!text && !chosen.length) return;
    const files = chosen;
    fill("");
    take([]);
    list.hidden = true;
    const answer = await deliver({ channel, thread, text, files });
    if ((answer.refused || answer.error) && !box.value) fill(text);
  }

  box.addEventListener("input", suggest);
  box.addEventListener("blur", () => (list.hidden = true));
  box.addEventListener("focus", suggest);
  box.addEventListener("keydown", (event) => {
    const listed = !list.hidden && found.length;
    if (listed && event.key === "ArrowDown") mark(active + 1);
    else if (listed && event.key === "ArrowUp") mark(active < 0 ? found.length - 1 : active - 1);
    else if (listed && event.key === "Tab" && !event.shiftKey) found[Math.max(active, 0)].take();
    else if (listed && event.key === "Escape") list.hidden = true;
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      if (listed && active >= 0) found[active].take();
      else submit();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  attach.addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    take([...chosen, ...file.files]);
    file.value = "";
    box.focus();
  });
  queueMicrotask(() => (hint.hidden = true));
  return form;
}

const start = (id) => act("shortcut", { callback_id: id });

function shortcuts() {
  const run = (id) => {
    menu.open = false;
    start(id);
  };
  const menu = h("details", { class: "overflow up" },
    h("summary", { class: "plain", "aria-label": "Shortcuts", title: "Shortcuts" }, icon("bolt")),
    h("div", { class: "menu" }, get("workspace").shortcuts.map(([id, name, about]) =>
      h("button", { type: "button", class: "item", on: { click: () => run(id) } },
        h("span", { class: "name" }, name), h("span", { class: "about" }, about)))));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  return menu;
}

// Commands go as they are typed; in messages Slack's client escapes what is special and knows people by their names.
function deliver({ channel, thread, text, files }) {
  const command = !files.length && text.match(/^(\/\S+)\s*([\s\S]*)$/);
  if (command) return act("command", { channel, thread, command: command[1], text: command[2] });
  const escaped = mentions(text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;"));
  if (files.length) return upload(files, { channel, thread, text: escaped });
  return act("say", { channel, thread, text: escaped });
}

function mentions(text) {
  const { users } = get("names");
  const longest = Object.entries(users).sort(([, a], [, b]) => b.length - a.length);
  return longest.reduce((words, [id, name]) => words.replaceAll(`@${name}`, `<@${id}>`), text);
}
