// The simulated PBXs, their troubles, and the sandbox's clock.

import { act } from "./api.js";
import { h, keepingFocus, reconcile } from "./dom.js";
import { dayOf, pretty, seconds, short, time } from "./format.js";
import { all, get, now, signature } from "./store.js";

const panel = document.getElementById("panel");

export function showPanel() {
  const items = [
    { key: "clock", signature: signature("clock"), make: clock },
    ...[...all("pbx:")].map((pbx) => ({ key: `pbx-${pbx.name}`, signature: signature(`pbx:${pbx.name}`), make: (old) => one(pbx, old) })),
  ];
  const at = panel.scrollTop;
  keepingFocus(panel, () => reconcile(panel, items));
  panel.scrollTop = at;
}

const JUMPS = [["+1 min", 60], ["+10 min", 600], ["+1 h", 3600], ["+8 h", 28800], ["+1 day", 86400]];

function clock() {
  const { skipped, can } = get("clock");
  const jump = (text, run, title) =>
    h("button", { type: "button", class: "button small", title, data: { focus: `jump-${text}` }, on: { click: run } }, text);
  const jumps = JUMPS.map(([text, length]) => jump(text, () => act("skip", { seconds: length }), `Put the clock forward by ${text.slice(1)}`));
  const clean = jump("past 01:00 UTC", () => act("clean"), "Put the clock past 01:00, when the PBXs throw temporary files away");
  return h("section", { class: "clock", "aria-label": "The sandbox's clock" },
    h("h2", {}, "Clock ", h("time", { class: "ticking" }, ticking())),
    h("p", { class: "about" }, skipped ? `${ahead(skipped)} ahead of real time` : "real time"),
    can && h("div", { class: "jumps" }, jumps, clean));
}

function ahead(length) {
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const parts = [];
  for (const [size, unit] of units) {
    const count = Math.floor(length / size);
    if (count && parts.length < 2) parts.push(`${count} ${unit}`);
    length -= count * size;
  }
  return parts.join(" ");
}

const ticking = () => {
  const date = new Date(now() * 1000);
  return `${short(date)}, ${seconds(date)}`;
};

setInterval(() => {
  const shown = panel.querySelector(".ticking");
  if (shown) shown.textContent = ticking();
}, 1000);

function one(pbx, old) {
  const open = old?.querySelector("details.calls")?.open ?? true;
  return h("section", { class: "pbx", "aria-labelledby": `pbx-${pbx.name}` },
    h("header", {}, h("h2", { id: `pbx-${pbx.name}` }, `PBX ${pbx.name}`), status(pbx)),
    h("p", { class: "about" }, pbx.url),
    h("div", { class: "slots" }, pbx.slots.map(slots)),
    certificates(pbx), web(pbx),
    pbx.files.length ? h("p", { class: "about" }, `Temporary files: ${pbx.files.join(", ")}`) : null,
    troubles(pbx), calls(pbx, open));
}

function status(pbx) {
  const active = pbx.switches.filter(([, , , on]) => on).map(([, label]) => label);
  if (!pbx.reachable) return h("span", { class: "status bad" }, "Unreachable");
  if (active.length) return h("span", { class: "status odd" }, active.join(", "));
  return h("span", { class: "status good" }, "No trouble");
}

function slots([kind, used, most]) {
  const full = used >= most;
  return h("div", { class: `slot ${full ? "full" : ""}` },
    h("p", {}, kind === "server" ? "Server certificates" : "Trusted CAs", h("strong", {}, `${used} of ${most}`)),
    h("div", { class: "cells", "aria-hidden": "true" }, Array.from({ length: most }, (_, at) => h("span", { class: at < used ? "used" : "" }))));
}

const STATES = { issuing: "issuing …", issuance_fail: "issuing failed", issuance_success: "" };

function certificates(pbx) {
  if (!pbx.certificates.length) return h("p", { class: "none" }, "No certificates yet");
  const shown = pbx.certificates.slice(-4);
  const left = pbx.certificates.length - shown.length;
  return h("ul", { class: "certificates" }, left ? h("li", { class: "about" }, `${left} older`) : null, shown.map(certificate));
}

function certificate(given) {
  const state = STATES[given.apply_status] ?? given.apply_status;
  return h("li", {},
    h("span", { class: "name" }, given.name), h("span", { class: `kind ${given.type}` }, given.type),
    given.web && h("span", { class: "kind web" }, "web"),
    state && h("span", { class: `kind ${given.apply_status}` }, state),
    h("span", { class: "about" }, [`id ${given.id}`, given.issue_to, given.expiration && `until ${given.expiration}`].filter(Boolean).join(" · ")));
}

// What a TLS handshake with the port just showed, not what the PBX says of itself.
function web({ served }) {
  const line = (name, value, mono) => h("div", {}, h("dt", {}, name), h("dd", { class: mono ? "mono" : "" }, value));
  if (!served) return null;
  if (served.error) return h("div", { class: "served" }, h("h3", {}, "Served on its port"), h("p", { class: "wrong" }, `No handshake: ${served.error}`));
  const print = served.fingerprint.toUpperCase().match(/../g);
  return h("div", { class: "served" }, h("h3", {}, "Served on its port"), h("dl", {},
    line("Subject", served.subject), line("Issuer", served.issuer), line("Until", short(new Date(served.until * 1000))),
    line("SHA-256", h("span", { title: print.join(":") }, `${print.slice(0, 6).join(":")}…`), true)));
}

function troubles(pbx) {
  const one_ = ([key, label, about, on]) => h("button", {
    type: "button", role: "switch", class: "switch", "aria-checked": String(on), title: about, data: { focus: `switch-${pbx.name}-${key}` },
    on: { click: () => act("turn", { pbx: pbx.name, switch: key, on: !on }) },
  }, h("span", { class: "knob", "aria-hidden": "true" }), h("span", {}, label));
  return h("div", { class: "troubles", role: "group", "aria-label": `Trouble for ${pbx.name}` }, pbx.switches.map(one_));
}

function calls(pbx, open) {
  const row = ([number, method, path, errcode, delivered, at]) => {
    const date = new Date(at * 1000);
    const result = errcode === null ? "—" : String(errcode);
    return h("tr", { class: errcode === 0 && delivered ? "" : "failed", "data-call": number },
      h("td", {}, h("time", { title: `${pretty(date, dayOf)} ${seconds(date)}` }, time(date))), h("td", { class: "path" }, `${method} ${path}`),
      h("td", { class: "mono" }, delivered ? result : `${result}, not delivered`));
  };
  const table = h("table", {}, h("thead", {}, h("tr", {}, ["Time", "Call", "errcode"].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, [...pbx.calls].reverse().map(row)));
  return h("details", { class: "calls", open },
    h("summary", { data: { focus: `calls-${pbx.name}` } }, `Last calls to its API · ${pbx.tokens[0]} of ${pbx.tokens[1]} tokens`),
    pbx.calls.length ? table : h("p", { class: "none" }, "None yet"));
}
