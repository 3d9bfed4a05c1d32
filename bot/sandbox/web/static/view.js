// The blocks of a view, kept in step with the server while a person types in them.

import { act } from "./api.js";
import { block } from "./blocks.js";
import { h, keepingFocus, reconcile } from "./dom.js";

const WAIT = 200;
// What a view is left with.
const LAST = ["submit", "close"];
const TYPED = ["plain_text_input", "datetimepicker"];
const TYPING = "input[type=text]:not([role]), input[type=datetime-local], textarea";

// One view in a person's hands, for as long as it is on display.
export class ViewBody {
  constructor(root) {
    this.root = root;
    this.view = null;
    this.pending = new Map();
    this.underway = new Set();
    this.press = "press";
    this.choose = "choose";
    this.tick = "tick";
  }

  get id() {
    return this.view.id;
  }

  get errors() {
    return this.view.errors;
  }

  entered(blockId, action) {
    return this.view.state.values[blockId]?.[action];
  }

  act(what, given = {}) {
    const done = act(what, { view: this.id, ...given }).finally(() => this.underway.delete(done));
    if (!LAST.includes(what)) this.underway.add(done);
    return done;
  }

  // What is typed is sent a moment after the last key, or before whatever is done next.
  typed(field, read, what = "type") {
    const key = `${field.block}|${field.action}`;
    clearTimeout(this.pending.get(key)?.timer);
    const send = () => {
      this.pending.delete(key);
      return this.act(what, { ...field, value: read() });
    };
    this.pending.set(key, { send, timer: setTimeout(send, WAIT) });
  }

  // Resolves once all that was entered has arrived: each act takes a way of its own, on which the next could overtake it.
  flush() {
    for (const { timer, send } of [...this.pending.values()]) {
      clearTimeout(timer);
      send();
    }
    return Promise.all(this.underway);
  }

  redraw() {
    this.root.replaceChildren();
    this.show(this.view);
  }

  show(view) {
    this.view = view;
    keepingFocus(this.root, () => reconcile(this.root, view.blocks.map((given) => this.item(given))));
  }

  // A block is drawn anew when it, its error, or what is chosen in it has changed; never because of what is being typed.
  item(given) {
    const values = Object.values(view_values(this.view, given)).filter((entered) => !TYPED.includes(entered.type));
    const signature = JSON.stringify([given, this.errors?.[given.block_id], values]);
    const make = (old) => {
      const made = block(given, this);
      keepText(old, made);
      return h("div", { class: "item" }, made);
    };
    return { key: given.block_id, signature, make };
  }
}

const view_values = (view, given) => view.state.values[given.block_id] ?? {};

// What a person typed is ahead of what the server knows.
function keepText(old, made) {
  const before = old?.querySelector(TYPING);
  const now = made.querySelector(TYPING);
  if (before && now && before.dataset.focus === now.dataset.focus) now.value = before.value;
}
