// Standard Markdown of the markdown block → DOM nodes (headings, lists, quotes, code, tables, links, styles).
import { append, el } from "./dom.js";
import { emoji } from "./emoji.js";
import { emojiNode, link, pre } from "./mrkdwn.js";

const RULES = [
  [/^```/, fence],
  [/^#{1,6} /, heading],
  [/^ {0,3}([-*_])(?: *\1){2,} *$/, (lines, at, root) => { root.append(el("hr")); return at + 1; }],
  [/^> ?/, quote],
  [/^\s{0,12}(?:[-*+]|\d{1,9}[.)]) /, list],
  [/^\|.*\|\s*$/, table],
];

/** Draw Markdown text. */
export function markdown(text) {
  const root = document.createDocumentFragment();
  blocksOf(String(text ?? "").split("\n"), root);
  return root;
}

function blocksOf(lines, root) {
  for (let at = 0; at < lines.length;) {
    const rule = RULES.find(([pattern]) => pattern.test(lines[at]));
    at = rule ? rule[1](lines, at, root) : paragraph(lines, at, root);
  }
}

function runOf(lines, at, test) {
  let end = at;
  while (end < lines.length && test(lines[end])) end += 1;
  return end;
}

function fence(lines, at, root) {
  const end = runOf(lines, at + 1, (line) => !line.startsWith("```"));
  root.append(pre(lines.slice(at + 1, end).join("\n")));
  return end + 1;
}

function heading(lines, at, root) {
  const [, marks, words] = lines[at].match(/^(#{1,6}) (.*)$/);
  root.append(el(`h${Math.min(marks.length + 2, 6)}`, { class: "block-header" }, inline(words)));
  return at + 1;
}

function quote(lines, at, root) {
  const end = runOf(lines, at, (line) => line.startsWith(">"));
  const box = el("blockquote", { class: "quote" });
  for (const line of lines.slice(at, end)) box.append(el("span", { class: "line" }, inline(line.replace(/^> ?/, ""))));
  root.append(box);
  return end;
}

const ITEM = /^(\s{0,12})([-*+]|\d{1,9}[.)]) (.*)$/;

function list(lines, at, root) {
  const end = runOf(lines, at, (line) => ITEM.test(line));
  const ordered = /\d/.test(lines[at].match(ITEM)[2]);
  const items = lines.slice(at, end).map((line) => {
    const [, indent, , words] = line.match(ITEM);
    return el("li", { class: `indent-${Math.min(Math.floor(indent.length / 2), 8)}` }, inline(words));
  });
  root.append(el(ordered ? "ol" : "ul", { class: "rich-list", start: ordered ? parseInt(lines[at].trim(), 10) : null }, items));
  return end;
}

function table(lines, at, root) {
  const end = runOf(lines, at, (line) => /^\|.*\|\s*$/.test(line));
  const rows = lines.slice(at, end).map((line) => line.trim().slice(1, -1).split("|").map((cell) => cell.trim()));
  const ruled = rows[1]?.every((cell) => /^:?-+:?$/.test(cell));
  const body = ruled ? [rows[0], ...rows.slice(2)] : rows;
  const row = (cells, index) => el("tr", {}, cells.map((cell) => el(ruled && index === 0 ? "th" : "td", {}, inline(cell))));
  root.append(el("div", { class: "table-scroll", tabindex: 0 }, el("table", {}, body.map(row))));
  return end;
}

function paragraph(lines, at, root) {
  if (lines[at].trim() === "") return at + 1;
  const end = runOf(lines, at, (line) => line.trim() !== "" && !RULES.some(([pattern]) => pattern.test(line)));
  root.append(append(el("p", {}), lines.slice(at, end).flatMap((line, index) => [index ? el("br") : null, inline(line)])));
  return end;
}

const TOKEN = /`([^`\n]{1,4000})`|\[([^\]\n]{0,1000})\]\(([^()\s]{1,2000})\)|\*\*([^\n*]{1,4000})\*\*|~~([^\n~]{1,4000})~~|(?<![\p{L}\p{N}])([*_])(?=\S)([^\n*_]{1,4000})\6(?![\p{L}\p{N}])|:([a-z0-9_+'-]{1,60}):|(https?:\/\/[^\s<>()]{1,2000})/gu;

function inline(text) {
  const out = [];
  let last = 0;
  for (const match of text.matchAll(TOKEN)) {
    const node = tokenNode(match);
    if (!node) continue;
    out.push(text.slice(last, match.index), node);
    last = match.index + match[0].length;
  }
  return [...out, text.slice(last)];
}

function tokenNode([, code, label, address, bold, strike, , italic, short, bare]) {
  if (code !== undefined) return el("code", {}, code);
  if (address !== undefined) return link(address, label);
  if (bold !== undefined) return el("strong", {}, inline(bold));
  if (strike !== undefined) return el("s", {}, inline(strike));
  if (italic !== undefined) return el("em", {}, inline(italic));
  if (short !== undefined) return emoji(short) ? emojiNode(short, emoji(short)) : null;
  return link(bare, bare);
}
