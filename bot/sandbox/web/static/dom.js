// Elements are made here and nowhere else. Text always becomes a text node: nothing that somebody wrote is parsed as HTML.

export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(element, name, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") for (const [kind, handler] of Object.entries(value)) element.addEventListener(kind, handler);
  else if (name === "data") Object.assign(element.dataset, value);
  else if (name === "value") element.value = value;
  else if (value === true) element.setAttribute(name, "");
  else element.setAttribute(name, String(value));
}

let last = 0;
export const newId = (prefix) => `${prefix}-${++last}`;

// Makes the children of `parent` those of `items`, keeping each whose key and signature are as before: what a person is doing
// in an element that has not changed goes on undisturbed.
export function reconcile(parent, items) {
  const before = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map(({ key, signature, make }) => {
    const old = before.get(key);
    if (old && old.signature === signature) return old;
    const made = make(old);
    made.dataset.key = key;
    made.signature = signature;
    return made;
  });
  const kept = new Set(wanted);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  wanted.forEach((child, index) => {
    if (parent.children[index] !== child) parent.insertBefore(child, parent.children[index] ?? null);
  });
}

// Redraws, and gives the focus back to the control of the same name if it was redrawn under the person's hands.
export function keepingFocus(root, redraw) {
  const focused = root.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
  redraw();
  if (focused && !root.contains(document.activeElement)) {
    root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
}

// Arrow keys move between the controls of a group, of which one is in the tab order.
export function roving(group, selector) {
  const controls = () => [...group.querySelectorAll(selector)].filter((control) => !control.disabled);
  const settle = () => {
    const all = controls();
    const current = all.find((control) => control.getAttribute("aria-current") === "true") ?? all[0];
    for (const control of all) control.tabIndex = control === current ? 0 : -1;
  };
  group.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    const all = controls();
    const at = all.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    all[Math.max(0, Math.min(all.length - 1, at + step))].focus();
  });
  return settle;
}
