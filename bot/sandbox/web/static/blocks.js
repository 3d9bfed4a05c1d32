// Blocks (docs.slack.dev/reference/block-kit/blocks) as elements.

import { h, newId } from "./dom.js";
import { element } from "./elements.js";
import { richText } from "./rich.js";
import { plain, words } from "./words.js";

// One block of a message or a view; `host` as in elements.js, with `errors` by block id.
export function block(given, host) {
  const make = BLOCKS[given.type];
  return make ? make(given, host) : h("p", { class: "unknown" }, `(${given.type})`);
}

function section(given, host) {
  const text = given.text && h("div", { class: "text" }, words(given.text));
  const fields = given.fields && h("div", { class: "fields" }, given.fields.map((field) => h("div", {}, words(field))));
  const beside = given.accessory && h("div", { class: "accessory" }, element(given.accessory, given, host));
  return h("div", { class: "block section" }, h("div", { class: "words" }, text, fields), beside);
}

const header = (given) => h("h3", { class: "block header" }, plain(given.text));

const context = (given) =>
  h("div", { class: "block context" }, given.elements.map((part) => h("span", {}, part.type === "image" ? part.alt_text : words(part))));

const actions = (given, host) =>
  h("div", { class: "block actions" }, given.elements.map((part) => element(part, given, host)));

// Pictures would have to be fetched from elsewhere, which this page never does.
const image = (given) => h("p", { class: "block context" }, given.alt_text);

const GROUPS = ["radio_buttons", "checkboxes"];

function input(given, host) {
  const id = newId("field");
  const error = host.errors?.[given.block_id];
  const grouped = GROUPS.includes(given.element.type);
  const described = [given.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ") || null;
  const title = [plain(given.label), given.optional && h("span", { class: "optional" }, " (optional)")];
  const field = element(given.element, given, host, { id, describedBy: described, invalid: Boolean(error) });
  const below = [
    error && h("p", { class: "error", id: `${id}-error` }, error),
    given.hint && h("p", { class: "hint", id: `${id}-hint` }, plain(given.hint)),
  ];
  const props = { class: `block input ${error ? "wrong" : ""}`, "data-block": given.block_id };
  if (grouped) return h("fieldset", { ...props, "aria-describedby": described }, h("legend", {}, title), field, below);
  return h("div", props, h("label", { for: id, class: "label" }, title), field, below);
}

const BLOCKS = {
  section,
  header,
  context,
  actions,
  image,
  input,
  divider: () => h("hr", { class: "block" }),
  rich_text: richText,
};
