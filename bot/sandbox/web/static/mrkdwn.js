// Slack's mrkdwn as elements (docs.slack.dev/messaging/formatting-message-text).

import { h } from "./dom.js";
import { slackDate } from "./format.js";
import { get } from "./store.js";
import { permalink } from "./where.js";

const EMOJI = {
  white_check_mark: "✅", x: "❌", warning: "⚠️", hourglass: "⌛", hourglass_flowing_sand: "⏳", lock: "🔒", key: "🔑",
  thumbsup: "👍", "+1": "👍", thumbsdown: "👎", "-1": "👎", eyes: "👀", tada: "🎉", no_entry: "⛔", no_entry_sign: "🚫",
  rotating_light: "🚨", wave: "👋", bulb: "💡", gear: "⚙️", scroll: "📜", mag: "🔍", mag_right: "🔎", red_circle: "🔴",
  large_green_circle: "🟢", large_yellow_circle: "🟡", large_orange_circle: "🟠", arrow_right: "➡️", repeat: "🔁",
  octagonal_sign: "🛑", question: "❓", information_source: "ℹ️", pencil2: "✏️", calendar: "📅", clock1: "🕐",
  leftwards_arrow_with_hook: "↩️", inbox_tray: "📥", outbox_tray: "📤", smile: "😄", slightly_smiling_face: "🙂",
};

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
export const unescape = (text) => text.replace(/&(amp|lt|gt);/g, (entity) => ENTITIES[entity]);

export const emoji = (name) => EMOJI[name];

// What `verbatim` keeps Slack from doing is only to find links in bare text.
export function mrkdwn(text, { verbatim = false } = {}) {
  const pieces = text.split(/```\n?([\s\S]*?)```/);
  return pieces.map((piece, index) => (index % 2 ? preformatted(piece) : lines(trimmed(pieces, index), verbatim)));
}

// A block of code takes the line breaks around it.
function trimmed(pieces, index) {
  let piece = pieces[index];
  if (index > 0) piece = piece.replace(/^\n/, "");
  return index < pieces.length - 1 ? piece.replace(/\n$/, "") : piece;
}

const preformatted = (text) => h("pre", { tabindex: 0 }, unescape(text.replace(/\n$/, "")));

function lines(text, verbatim) {
  const made = [];
  let quoted = null;
  let open = false;
  for (const line of text === "" ? [] : text.split("\n")) {
    const quote = line.match(/^(?:>|&gt;) ?(.*)$/);
    if (quote) {
      if (!quoted) made.push((quoted = h("blockquote")));
      else quoted.append(h("br"));
      quoted.append(...inline(quote[1], verbatim));
      open = false;
      continue;
    }
    if (open) made.push(h("br"));
    made.push(...inline(line, verbatim));
    quoted = null;
    open = true;
  }
  return made;
}

const STYLES = { "*": "strong", _: "em", "~": "s" };
const TOKEN = /`([^`\n]+)`|<([^<>\n]+)>|:([a-z0-9_+-]+):|([*_~])(?=[^\s])|(https?:\/\/[^\s<>|]+[^\s<>|.,;:!?)\]'"])/g;

function inline(text, verbatim) {
  const made = [];
  let at = 0;
  const scan = new RegExp(TOKEN);
  for (let found; (found = scan.exec(text)); ) {
    const token = read(found, text, verbatim);
    if (!token) {
      scan.lastIndex = found.index + 1;
      continue;
    }
    if (found.index > at) made.push(unescape(text.slice(at, found.index)));
    made.push(token.made);
    at = scan.lastIndex = token.end;
  }
  if (at < text.length) made.push(unescape(text.slice(at)));
  return made;
}

function read(found, text, verbatim) {
  const [all, code, angled, short, mark, address] = found;
  const end = found.index + all.length;
  if (code) return { made: h("code", {}, unescape(code)), end };
  if (angled) return { made: reference(angled), end };
  if (short) return EMOJI[short] ? { made: EMOJI[short], end } : null;
  if (mark) return styled(mark, found.index, text, verbatim);
  return verbatim ? null : { made: link(unescape(address), unescape(address)), end };
}

// A mark styles words only, not parts of them: `2*3*4` is plain.
function styled(mark, start, text, verbatim) {
  if (/[\p{L}\p{N}]/u.test(text[start - 1] ?? "")) return null;
  for (let end = text.indexOf(mark, start + 2); end > 0; end = text.indexOf(mark, end + 1)) {
    if (/\s/.test(text[end - 1]) || /[\p{L}\p{N}]/u.test(text[end + 1] ?? "")) continue;
    return { made: h(STYLES[mark], {}, inline(text.slice(start + 1, end), verbatim)), end: end + 1 };
  }
  return null;
}

function reference(inner) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : unescape(inner.slice(bar + 1));
  if (target.startsWith("@")) return user(target.slice(1), label);
  if (target.startsWith("#")) return channel(target.slice(1), label);
  if (target.startsWith("!subteam^")) return group(target.slice(9), label);
  if (target.startsWith("!date^")) return date(target.slice(6), label);
  if (target.startsWith("!")) return mention(`@${label || target.slice(1)}`, true);
  return link(unescape(target), label || unescape(target).replace(/^mailto:/, ""));
}

const mention = (name, loud) => h("span", { class: loud ? "mention loud" : "mention" }, name);

export function user(id, label = "") {
  const name = get("names").users[id] ?? (label || id);
  return mention(`@${name}`, id === get("me").id);
}

export const group = (id, label = "") => mention(`@${get("names").groups[id] ?? (label || id)}`.replace("@@", "@"), true);

export function channel(id, label = "") {
  const name = get("names").channels[id];
  if (!name) return mention(`#${label || id}`);
  return h("a", { class: "mention", href: `#channel=${id}` }, `#${name}`);
}

function date(given, fallback) {
  const [stamp, form, address] = given.split("^");
  const shown = h("time", { datetime: new Date(Number(stamp) * 1000).toISOString(), title: fallback }, slackDate(stamp, form));
  return address ? link(address, shown) : shown;
}

// Only addresses that lead somewhere; a permalink of this workspace stays on this page.
export function link(address, label) {
  const own = permalink(address);
  if (own) return h("a", { href: own }, label);
  if (!/^(https?:|mailto:|tel:)/i.test(address)) return h("span", {}, label);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}
