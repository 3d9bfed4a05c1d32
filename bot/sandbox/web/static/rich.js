// Rich text blocks (docs.slack.dev/reference/block-kit/blocks/rich-text-block).

import { h } from "./dom.js";
import { slackDate } from "./format.js";
import { channel, emoji, group, link, user } from "./mrkdwn.js";

export const richText = (block) => h("div", { class: "rich" }, block.elements.map(part));

function part(element) {
  const inner = () => element.elements.map(piece);
  if (element.type === "rich_text_section") return h("div", {}, inner());
  if (element.type === "rich_text_preformatted") return h("pre", { tabindex: 0 }, inner());
  if (element.type === "rich_text_quote") return h("blockquote", {}, inner());
  if (element.type === "rich_text_list") {
    const items = element.elements.map((item) => h("li", {}, part(item)));
    return h(element.style === "ordered" ? "ol" : "ul", { data: { indent: element.indent ?? 0 } }, items);
  }
  return null;
}

function piece(element) {
  if (element.type === "text") return styled(lines(element.text), element.style);
  if (element.type === "link") return styled([link(element.url, element.text ?? element.url)], element.style);
  if (element.type === "user") return user(element.user_id);
  if (element.type === "usergroup") return group(element.usergroup_id);
  if (element.type === "channel") return channel(element.channel_id);
  if (element.type === "emoji") return emoji(element.name) ?? `:${element.name}:`;
  if (element.type === "date") return h("time", {}, slackDate(element.timestamp, element.format));
  if (element.type === "broadcast") return h("span", { class: "mention loud" }, `@${element.range}`);
  return null;
}

const lines = (text) => text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));

function styled(made, style = {}) {
  const tags = { bold: "strong", italic: "em", strike: "s", code: "code" };
  return Object.entries(tags).reduce((inner, [name, tag]) => (style[name] ? [h(tag, {}, inner)] : inner), made);
}
