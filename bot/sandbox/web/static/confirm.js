// Confirmation dialogs (docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object).

import { h } from "./dom.js";
import { words } from "./words.js";
import { placeToasts } from "./toasts.js";

// True once the person agreed; at once where nothing is asked.
export function confirmed(asked) {
  if (!asked) return Promise.resolve(true);
  const dialog = document.getElementById("confirm");
  const back = document.activeElement;
  return new Promise((resolve) => {
    const answer = (agreed) => {
      dialog.close();
      placeToasts();
      back?.isConnected && back.focus();
      resolve(agreed);
    };
    const button = (text, style, agreed) =>
      h("button", { type: "button", class: `button ${style}`, on: { click: () => answer(agreed) } }, words(text));
    const yes = button(asked.confirm, asked.style === "danger" ? "danger" : "primary", true);
    dialog.replaceChildren(
      h("h2", { id: "confirm-title" }, words(asked.title)),
      h("p", {}, words(asked.text)),
      h("div", { class: "foot" }, button(asked.deny, "", false), yes),
    );
    dialog.onkeydown = (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      answer(false);
    };
    dialog.oncancel = (event) => event.preventDefault();
    dialog.showModal();
    placeToasts();
    yes.focus();
  });
}
