// Block Kit's interactive elements (docs.slack.dev/reference/block-kit/block-elements).
//
// `host` is the message or view around them: `act(what, given)` tells the server, `entered(block, action)` is what stands in
// a field, `flush()` sends what was typed and not sent yet.

import { combobox } from "./combobox.js";
import { confirmed } from "./confirm.js";
import { h, newId } from "./dom.js";
import { files } from "./filefield.js";
import { icon } from "./icons.js";
import { permalink } from "./where.js";
import { plain, words } from "./words.js";

export function element(given, block, host, field = {}) {
  const make = MAKERS[given.type];
  return make ? make(given, block, host, field) : h("p", { class: "unknown" }, `(${given.type})`);
}

export const fits = (given) => given.type in MAKERS;

const ids = (given, block) => ({ block: block.block_id, action: given.action_id });
const focusName = (given, block, more = "") => `${block.block_id}|${given.action_id}|${more}`;

async function tell(host, given, what, more) {
  if (!(await confirmed(given.confirm))) return false;
  await host.flush();
  const answer = await host.act(what, more);
  return !answer.refused && !answer.error;
}

// As Slack's client: its own messages open in place, everything else in a window of its own.
function follow(url) {
  const own = url && permalink(url);
  if (own) location.hash = own;
  else if (url) window.open(url, "_blank", "noopener,noreferrer");
}

function button(given, block, host) {
  const click = async () => {
    made.setAttribute("aria-busy", "true");
    follow(given.url);
    await tell(host, given, host.press, { ...ids(given, block), value: given.value });
    made.removeAttribute("aria-busy");
  };
  const made = h("button", {
    type: "button", class: `button ${given.style ?? ""}`, "aria-label": given.accessibility_label,
    data: { focus: focusName(given, block, given.value), action: given.action_id },
    on: { click: () => made.getAttribute("aria-busy") !== "true" && click() },
  }, plain(given.text));
  return made;
}

function optionsOf(given) {
  return given.options ?? (given.option_groups ?? []).flatMap((group) => group.options);
}

function staticSelect(given, block, host, field) {
  const options = optionsOf(given);
  const fitting = (query) => options.filter((option) => option.text.text.toLowerCase().includes(query.toLowerCase()));
  const pick = (option) => tell(host, given, host.choose, { ...ids(given, block), value: option.value });
  return combobox({ ...common(given, block, host, field), find: fitting, pick });
}

function externalSelect(given, block, host, field) {
  const least = given.min_query_length ?? 3;
  const find = async (query) => {
    if (query.length < least) return `Type at least ${least === 1 ? "one letter" : `${least} letters`}`;
    const answer = await host.act("search", { ...ids(given, block), value: query });
    return answer.options ?? "The app did not answer";
  };
  const pick = (option) => tell(host, given, "pick", { ...ids(given, block), value: option.value });
  return combobox({ ...common(given, block, host, field), find, pick });
}

function common(given, block, host, field) {
  return {
    ...field,
    focus: focusName(given, block),
    placeholder: given.placeholder?.text ?? "Select an option",
    label: field.id ? null : (given.placeholder?.text ?? "Select an option"),
    chosen: host.entered(block.block_id, given.action_id)?.selected_option ?? given.initial_option,
    autofocus: given.focus_on_load,
  };
}

function marks(type) {
  return (given, block, host, field) => {
    const entered = host.entered(block.block_id, given.action_id) ?? {};
    const initial = type === "radio" ? [given.initial_option] : (given.initial_options ?? []);
    const chosen = type === "radio" ? [entered.selected_option] : (entered.selected_options ?? initial);
    const values = chosen.filter(Boolean).map((option) => option.value);
    const name = newId("group");
    const one = (option) => {
      const about = newId("about");
      const mark = h("input", {
        type, name, value: option.value, checked: values.includes(option.value), data: { focus: focusName(given, block, option.value) },
        "aria-describedby": option.description ? about : field.describedBy,
      });
      mark.addEventListener("change", async () => {
        const what = type === "radio" ? host.choose : host.tick;
        const taken = await tell(host, given, what, { ...ids(given, block), value: option.value, on: mark.checked });
        if (!taken) host.redraw();
      });
      const description = option.description && h("span", { class: "about", id: about }, words(option.description));
      return h("div", { class: "mark" }, h("label", {}, mark, h("span", {}, words(option.text))), description);
    };
    return h("div", { class: "marks" }, given.options.map(one));
  };
}

function overflow(given, block, host) {
  const choose = async (option) => {
    menu.open = false;
    follow(option.url);
    await tell(host, given, host.choose, { ...ids(given, block), value: option.value });
  };
  const item = (option) => h("button", { type: "button", class: "item", on: { click: () => choose(option) } }, plain(option.text));
  const menu = h("details", { class: "overflow" },
    h("summary", { class: "button", "aria-label": "More actions", data: { focus: focusName(given, block) } }, icon("dots")),
    h("div", { class: "menu" }, given.options.map(item)));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    event.preventDefault();
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  return menu;
}

const LETTER = "on_character_entered";

function textInput(given, block, host, field) {
  const value = host.entered(block.block_id, given.action_id)?.value ?? "";
  const made = h(given.multiline ? "textarea" : "input", {
    id: field.id, value, placeholder: given.placeholder?.text, autocomplete: "off", autofocus: given.focus_on_load,
    type: given.multiline ? null : "text", rows: given.multiline ? 3 : null,
    "aria-describedby": field.describedBy, "aria-invalid": field.invalid ? "true" : null, data: { focus: focusName(given, block) },
  });
  const letters = !block.dispatch_action || given.dispatch_action_config?.trigger_actions_on?.includes(LETTER);
  made.addEventListener("input", () => letters && host.typed(ids(given, block), () => made.value));
  made.addEventListener("keydown", (event) => {
    if (letters || event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    host.act("type", { ...ids(given, block), value: made.value });
  });
  return made;
}

// The browser's own control, which shows and takes the reader's local time; Slack's answer is in seconds since 1970.
function timeInput(given, block, host, field) {
  const made = h("input", {
    id: field.id, type: "datetime-local", value: localTime(host.entered(block.block_id, given.action_id)?.selected_date_time),
    autofocus: given.focus_on_load, "aria-describedby": field.describedBy, "aria-invalid": field.invalid ? "true" : null,
    data: { focus: focusName(given, block) },
  });
  const seconds = () => (made.value ? Math.floor(new Date(made.value).getTime() / 1000) : null);
  made.addEventListener("input", () => host.typed(ids(given, block), seconds, "set_time"));
  return made;
}

function localTime(seconds) {
  if (!seconds) return "";
  const then = new Date(seconds * 1000);
  return new Date(then.getTime() - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const MAKERS = {
  button,
  static_select: staticSelect,
  external_select: externalSelect,
  radio_buttons: marks("radio"),
  checkboxes: marks("checkbox"),
  overflow,
  plain_text_input: textInput,
  file_input: files,
  datetimepicker: timeInput,
};
