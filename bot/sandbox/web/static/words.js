// Text objects (docs.slack.dev/reference/block-kit/composition-objects/text-object).

import { emoji, mrkdwn } from "./mrkdwn.js";

export function words(text) {
  if (!text) return [];
  if (text.type === "mrkdwn") return mrkdwn(text.text, { verbatim: text.verbatim });
  return [plain(text)];
}

export function plain(text) {
  if (text.emoji === false) return text.text;
  return text.text.replace(/:([a-z0-9_+-]+):/g, (all, name) => emoji(name) ?? all);
}
