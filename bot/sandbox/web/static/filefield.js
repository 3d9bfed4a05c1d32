// File inputs (docs.slack.dev/reference/block-kit/block-elements/file-input-element), with files to try at hand.

import { upload } from "./api.js";
import { h } from "./dom.js";
import { bytes } from "./format.js";
import { icon } from "./icons.js";
import { get } from "./store.js";

export function files(given, block, host, field) {
  const where = { block: block.block_id, action: given.action_id };
  const held = host.entered(block.block_id, given.action_id)?.files ?? [];
  const most = given.max_files ?? 10;
  const input = h("input", {
    id: field.id, type: "file", multiple: most > 1, class: "hidden-file", "aria-describedby": field.describedBy,
    accept: given.filetypes?.map((kind) => `.${kind}`).join(","), data: { focus: `${block.block_id}|${given.action_id}|file` },
    on: { change: () => add([...input.files]) },
  });
  const add = async (chosen) => {
    if (chosen.length) await upload(chosen, { view: host.id, ...where });
    input.value = "";
  };
  const drop = h("div", { class: "drop" },
    h("label", { class: "button", for: field.id }, held.length ? "Add a file" : "Choose a file"),
    input, h("span", { class: "about" }, `or drop ${most > 1 ? "files" : "it"} here`), samples(where, host));
  drop.addEventListener("dragover", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
  return h("div", { class: "files" }, held.length ? h("ul", {}, held.map((file) => one(file, where, host))) : null,
    held.length < most && drop);
}

function one(file, where, host) {
  const remove = h("button", {
    type: "button", class: "plain", "aria-label": `Remove ${file.name}`, data: { focus: `${where.block}|${file.id}` },
    on: { click: () => host.act("detach", { ...where, value: file.id }) },
  }, icon("close"));
  return h("li", { class: "file" }, icon("file"), h("span", { class: "name" }, file.name), h("span", { class: "about" }, bytes(file.size)), remove);
}

// Slack has no such thing; the sandbox does, because few people have a certificate at hand.
function samples(where, host) {
  const known = get("workspace").samples;
  if (!known.length) return null;
  const item = ([name, about]) =>
    h("button", { type: "button", class: "item", on: { click: () => host.act("sample", { ...where, value: name }) } },
      h("span", { class: "name" }, name), h("span", { class: "about" }, about));
  const menu = h("details", { class: "overflow samples" },
    h("summary", { data: { focus: `${where.block}|samples` } }, "Use a sample of the sandbox"),
    h("div", { class: "menu" }, known.map(item)));
  return menu;
}
