// Modals: the visible view of a person's stack in a dialog (docs.slack.dev/surfaces/modals).

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { get } from "./store.js";
import { placeToasts } from "./toasts.js";
import { ViewBody } from "./view.js";
import { plain } from "./words.js";

const dialog = document.getElementById("modal");
let body = null;
let back = null;
let shown = { id: null, frame: null, errors: "" };

export function showModals() {
  const stack = get("modals");
  const view = stack.at(-1);
  if (!view) return close();
  const frame = JSON.stringify([view.id, view.title, view.submit, view.close, view.callback_id, stack.length]);
  if (shown.id !== view.id) body = null;
  if (shown.frame !== frame) build(view, stack);
  body.show(view);
  if (!dialog.open) {
    back = document.activeElement;
    dialog.showModal();
    placeToasts();
  }
  if (shown.id !== view.id) focusFirst();
  else if (!dialog.contains(document.activeElement) || document.activeElement === dialog) title()?.focus();
  const errors = JSON.stringify(view.errors);
  if (errors !== shown.errors && errors !== "{}") focusError();
  shown = { id: view.id, frame, errors };
}

function close() {
  if (!dialog.open) return;
  dialog.close();
  dialog.replaceChildren();
  shown = { id: null, frame: null, errors: "" };
  body = null;
  placeToasts();
  (back?.isConnected ? back : document.querySelector("#talk textarea"))?.focus();
  back = null;
}

const title = () => document.getElementById("modal-title");

function build(view, stack) {
  const blocks = body?.root ?? h("div", { class: "blocks", tabindex: -1 });
  body ??= new ViewBody(blocks);
  const leave = () => body.flush().then(() => body.act("close"));
  const form = h("form", { novalidate: true, data: { depth: stack.length } },
    h("header", {},
      h("span", { class: "avatar app", "aria-hidden": "true" }, "PC"),
      h("h2", { id: "modal-title", tabindex: -1 }, plain(view.title)),
      h("button", { type: "button", class: "plain", "aria-label": "Close", data: { focus: "x" }, on: { click: leave } }, icon("close"))),
    blocks,
    h("footer", {},
      h("button", { type: "button", class: "button", data: { focus: "close" }, on: { click: leave } },
        view.close ? plain(view.close) : "Cancel"),
      view.submit && h("button", { type: "submit", class: "button primary", data: { focus: "submit" } }, plain(view.submit))));
  form.addEventListener("submit", submit);
  const focused = dialog.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  dialog.replaceChildren(form);
  placeToasts();
  if (focused) dialog.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

async function submit(event) {
  event.preventDefault();
  const button = dialog.querySelector("[type=submit]");
  if (!button || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  await body.flush();
  await body.act("submit");
  button.removeAttribute("aria-busy");
}

const FIELDS = "input, textarea, select, button:not(header button), summary";

function focusFirst() {
  const first = dialog.querySelector("[autofocus]") ?? dialog.querySelector(`.blocks .input :is(${FIELDS})`);
  (first ?? title()).focus();
  dialog.querySelector(".blocks").scrollTop = 0;
}

function focusError() {
  const wrong = dialog.querySelector(".wrong");
  wrong?.querySelector(FIELDS)?.focus();
  wrong?.scrollIntoView({ block: "nearest" });
}

dialog.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  event.preventDefault();
  body?.flush().then(() => body.act("close"));
});
dialog.addEventListener("cancel", (event) => event.preventDefault());
