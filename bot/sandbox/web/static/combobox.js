// A field to choose one of many in: static selects filter what they have, external ones ask the app at each letter.
// Keyboard and roles follow the WAI-ARIA pattern "Editable combobox with list autocomplete".

import { h, newId } from "./dom.js";

const WAIT = 150;

// `find(query)` gives options, or a sentence in place of them; `pick(option)` takes one, and false if it was not taken.
export function combobox({ id, label, focus, placeholder, chosen, find, pick, describedBy, autofocus, invalid }) {
  const listId = newId("list");
  let options = [];
  let active = -1;
  let asked = 0;
  let timer = 0;
  let shown = chosen;
  let clean = true;
  const list = h("ul", { id: listId, role: "listbox", class: "options", hidden: true, "aria-label": label ?? placeholder });
  const status = h("p", { class: "options nothing", hidden: true, role: "status" });
  const input = h("input", {
    id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder, value: shown?.text.text ?? "",
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": listId, "aria-describedby": describedBy,
    "aria-label": label, "aria-invalid": invalid ? "true" : null, autofocus, data: { focus },
  });

  function close() {
    clearTimeout(timer);
    asked += 1;
    active = -1;
    list.hidden = status.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  async function ask(query) {
    const turn = ++asked;
    const found = await find(query);
    if (turn !== asked || !input.isConnected) return;
    options = Array.isArray(found) ? found : [];
    list.replaceChildren(...options.map(item));
    status.textContent = Array.isArray(found) ? "Nothing found" : found;
    list.hidden = !options.length;
    status.hidden = Boolean(options.length);
    input.setAttribute("aria-expanded", String(Boolean(options.length)));
    mark(query && options.length ? 0 : options.findIndex((option) => option.value === shown?.value));
    (options.length ? list : status).scrollIntoView({ block: "nearest" });
  }

  function item(option, index) {
    const about = option.description && h("span", { class: "about" }, option.description.text);
    const made = h("li", { id: `${listId}-${index}`, role: "option", "aria-selected": "false" }, option.text.text, about);
    made.addEventListener("pointerdown", (event) => event.preventDefault());
    made.addEventListener("click", () => take(index));
    return made;
  }

  function mark(index) {
    active = index;
    [...list.children].forEach((child, at) => child.setAttribute("aria-selected", String(at === index)));
    if (index < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", list.children[index].id);
    return list.children[index].scrollIntoView({ block: "nearest" });
  }

  async function take(index) {
    const option = options[index];
    const before = shown;
    close();
    clean = true;
    shown = option;
    input.value = option.text.text;
    if ((await pick(option)) === false) {
      shown = before;
      input.value = before?.text.text ?? "";
    }
  }

  const open = () => ask(clean ? "" : input.value);

  input.addEventListener("input", () => {
    clean = false;
    clearTimeout(timer);
    timer = setTimeout(open, WAIT);
  });
  input.addEventListener("click", () => list.hidden && open());
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", () => {
    close();
    clean = true;
    input.value = shown?.text.text ?? "";
  });
  input.addEventListener("keydown", (event) => {
    const expanded = !list.hidden;
    if (event.key === "Escape" && (expanded || !status.hidden)) close();
    else if (event.key === "Enter") expanded && active >= 0 ? take(active) : open();
    else if (event.key === "ArrowDown") expanded ? mark(Math.min(active + 1, options.length - 1)) : open();
    else if (event.key === "ArrowUp" && expanded) mark(Math.max(active - 1, 0));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  const box = h("div", { class: "combo" }, input, list, status);
  box.field = input;
  return box;
}
