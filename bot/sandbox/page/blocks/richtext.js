// Draws rich_text blocks: sections, lists, quotes and preformatted text.
import { el } from "../dom.js";
import { emoji } from "../emoji.js";
import { channelLink, emojiNode, link, person } from "../mrkdwn.js";
import { slackDate } from "../time.js";

const PARTS = {
  rich_text_section: (part, names) => el("div", { class: "line" }, runs(part.elements, names)),
  rich_text_preformatted: (part, names) => el("pre", { tabindex: 0 }, runs(part.elements, names)),
  rich_text_quote: (part, names) => el("blockquote", { class: "quote" }, el("div", { class: "line" }, runs(part.elements, names))),
  rich_text_list: list,
};

export function richText(block, surface) {
  const parts = (block.elements ?? []).map((part) =>
    Object.hasOwn(PARTS, part?.type) ? PARTS[part.type](part, surface.names) : null);
  return el("div", { class: "block-rich text" }, parts);
}

function list(part, names) {
  const tag = part.style === "ordered" ? "ol" : "ul";
  const start = part.style === "ordered" && part.offset ? part.offset + 1 : null;
  const indent = Math.min(Number(part.indent) || 0, 8);
  return el(tag, { class: `rich-list indent-${indent}`, start }, (part.elements ?? []).map((item) => el("li", {}, runs(item.elements, names))));
}

const runs = (elements, names) => (elements ?? []).map((run) => styled(draw(run, names), run.style));

const RUNS = {
  text: (run) => String(run.text ?? ""),
  link: (run) => link(run.url ?? "", run.text || run.url) ?? String(run.text || run.url || ""),
  user: (run, names) => person(run.user_id, "", names),
  channel: (run, names) => channelLink(run.channel_id, "", names),
  usergroup: (run, names) => el("span", { class: "mention" }, `@${names.groupName(run.usergroup_id, run.usergroup_id)}`),
  broadcast: (run) => el("span", { class: "mention mine" }, `@${run.range}`),
  emoji: (run) => (emoji(run.name) ? emojiNode(run.name, emoji(run.name)) : `:${run.name}:`),
  date: (run, names) => slackDate(run.timestamp, run.format ?? "{date_short}", names.tz, names.now()),
  color: (run) => el("code", {}, String(run.value ?? "")),
};

const draw = (run, names) => (Object.hasOwn(RUNS, run?.type) ? RUNS[run.type](run, names) : String(run?.text ?? ""));

const TAGS = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code" };

function styled(node, style) {
  return Object.keys(TAGS).filter((name) => style?.[name]).reduce((inner, name) => el(TAGS[name], {}, inner), node);
}
