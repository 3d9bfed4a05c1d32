// Names, times and amounts in words.

import { now } from "./store.js";

const part = (options) => (date) => new Intl.DateTimeFormat("en", options).format(date);
const time = part({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const seconds = part({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const long = part({ weekday: "long", year: "numeric", month: "long", day: "numeric" });
const middle = part({ year: "numeric", month: "long", day: "numeric" });
const short = part({ year: "numeric", month: "short", day: "numeric" });

export { time, seconds, long, short };

export const dayOf = (date) => new Intl.DateTimeFormat("sv").format(date);

// Today, yesterday or tomorrow by the sandbox's clock; otherwise as `usual` has it.
export function pretty(date, usual) {
  const away = (days) => dayOf(new Date((now() + days * 86400) * 1000));
  const names = { [away(-1)]: "yesterday", [away(0)]: "today", [away(1)]: "tomorrow" };
  return names[dayOf(date)] ?? usual(date);
}

export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// docs.slack.dev/messaging/formatting-message-text, "Date formatting".
export function slackDate(stamp, form) {
  const date = new Date(Number(stamp) * 1000);
  const made = {
    date_num: () => dayOf(date),
    date: () => middle(date),
    date_short: () => short(date),
    date_long: () => long(date),
    date_pretty: () => pretty(date, middle),
    date_short_pretty: () => pretty(date, short),
    date_long_pretty: () => pretty(date, long),
    time: () => time(date),
    time_secs: () => seconds(date),
    ago: () => ago(Number(stamp)),
  };
  return form.replace(/\{(\w+)\}/g, (all, name) => (made[name] ? made[name]() : all));
}

export function ago(stamp) {
  const passed = Math.round(now() - stamp);
  const steps = [[86400, "d"], [3600, "h"], [60, "min"]];
  for (const [length, unit] of steps) if (Math.abs(passed) >= length) return `${Math.round(passed / length)} ${unit} ago`;
  return "just now";
}

export const many = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

export const initials = (name) => name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();

export const hue = (id) => [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 6, 7);

export const bytes = (count) => (count < 1000 ? `${count} bytes` : `${Math.ceil(count / 1000)} kB`);
