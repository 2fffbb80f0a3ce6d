// Slack's mrkdwn → DOM nodes. Linear in the text, and text only ever becomes text nodes.
import { append, el } from "./dom.js";
import { emoji, withEmoji } from "./emoji.js";
import { followable } from "./links.js";
import { fullTime, slackDate } from "./time.js";

const STYLES = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;
const BULLET = /^\s{0,8}[•◦▪\-–]/;
const LIST_LINE = /^\s{0,8}(?:[•◦▪\-–]|\d{1,3}(?:[.)]|\s))\s+\S/;

/** Undo the three escapes that Slack's text carries. */
export function decode(text) {
  return text.replace(/&(lt|gt|amp);/g, (all, name) => ({ lt: "<", gt: ">", amp: "&" })[name]);
}

/** Draw mrkdwn. `names` resolves ids (a Store). */
export function mrkdwn(text, names) {
  const root = document.createDocumentFragment();
  String(text ?? "").split(/```/).forEach((part, index, all) => {
    const isCode = index % 2 === 1;
    if (isCode && index === all.length - 1) append(root, inline("```" + part, names)); // never closed
    else if (isCode) root.append(pre(plain(part.replace(/^\n/, "").replace(/\n$/, ""), names)));
    else paragraphs(trimAround(part, index > 0, index < all.length - 1), names, root);
  });
  return root;
}

/** Preformatted text; columns are not wrapped, so that a table stays one on a phone. */
export function pre(words) {
  const columns = words.split("\n").filter((text) => /\S {2,}\S/.test(text)).length > 1;
  return el("pre", { tabindex: 0, class: columns ? "columns" : null }, words);
}

const trimAround = (text, before, after) => {
  const start = before ? text.replace(/^\n/, "") : text;
  return after ? start.replace(/\n$/, "") : start;
};

function paragraphs(text, names, root) {
  if (text === "") return;
  const lines = text.split("\n");
  for (let at = 0; at < lines.length;) at = paragraph(lines, at, names, root);
}

// Draw the paragraph, list line or quote that starts at line `at`; return the line after it.
function paragraph(lines, at, names, root) {
  const whole = lines[at].match(/^(?:&gt;|>){3} ?/);
  if (whole) return quote([lines[at].slice(whole[0].length), ...lines.slice(at + 1)], names, root) && lines.length;
  let end = at;
  while (end < lines.length && /^(&gt;|>)/.test(lines[end])) end += 1;
  if (end > at) {
    quote(lines.slice(at, end).map((line) => line.replace(/^(&gt;|>) ?/, "")), names, root);
    return end;
  }
  line(lines[at], names, root);
  return at + 1;
}

function quote(lines, names, root) {
  const box = el("blockquote", { class: "quote" });
  for (const text of lines) line(text, names, box);
  root.append(box);
  return true;
}

function line(text, names, root) {
  const kind = text.trim() === "" ? "line blank" : LIST_LINE.test(text) ? `line item${BULLET.test(text) ? " bullet" : ""}` : "line";
  root.append(el("span", { class: kind }, inline(text, names)), "\n"); // the newline is for copying
}

/** Draw one run of text: code, links, mentions, styles and emoji. Returns a list of nodes and strings. */
export function inline(text, names, active = "") {
  const out = [];
  const dead = new Set(active); // styles that cannot open here (already open, or no closing mark follows)
  let buffer = "";
  const flush = () => { if (buffer) out.push(decode(buffer)); buffer = ""; };
  for (let at = 0; at < text.length;) {
    const found = token(text, at, names, dead, active);
    if (!found) {
      buffer += text[at];
      at += 1;
      continue;
    }
    flush();
    out.push(found.node);
    at = found.end;
  }
  flush();
  return out;
}

function token(text, at, names, dead, active) {
  const mark = text[at];
  if (mark === "`") return code(text, at, names);
  if (mark === "<") return angle(text, at, names);
  if (mark === ":") return shortcode(text, at);
  if (mark === "h") return bareUrl(text, at);
  if (STYLES[mark] && !dead.has(mark)) return styled(text, at, names, dead, active);
  return null;
}

function code(text, at, names) {
  const end = text.indexOf("`", at + 1);
  if (end <= at + 1) return null;
  return { node: el("code", {}, unbroken(plain(text.slice(at + 1, end), names))), end: end + 1 };
}

// Short words of code stay whole when a line breaks, so that "-n" is not torn apart.
const WHOLE_CHARS = 28;
function unbroken(words) {
  return words.split(/(\s+)/).map((word) => (word.includes("-") && word.length <= WHOLE_CHARS ? el("span", { class: "whole" }, word) : word));
}

const ANGLE = /<([^<>\n]{1,4000})>/y;
function angle(text, at, names) {
  ANGLE.lastIndex = at;
  const match = ANGLE.exec(text);
  if (!match) return null;
  return { node: entity(match[1], names) ?? decode(match[0]), end: at + match[0].length };
}

const SHORTCODE = /:([a-z0-9_+'-]{1,60}):/y;
function shortcode(text, at) {
  SHORTCODE.lastIndex = at;
  const match = SHORTCODE.exec(text);
  const sign = match && emoji(match[1]);
  return sign ? { node: emojiNode(match[1], sign), end: at + match[0].length } : null;
}

/** An emoji as text with its name for screen readers. */
export function emojiNode(name, sign) {
  return el("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, sign);
}

const BARE = /https?:\/\/[^\s<>|`"]+/y;
function bareUrl(text, at) {
  if (at > 0 && WORD.test(text[at - 1])) return null;
  BARE.lastIndex = at;
  const match = BARE.exec(text);
  if (!match) return null;
  const address = match[0].replace(/[.,;:!?)\]}*_~']+$/, "");
  const node = link(decode(address), decode(address));
  return node ? { node, end: at + address.length } : null;
}

function styled(text, at, names, dead, active) {
  const mark = text[at];
  const before = text[at - 1] ?? " ";
  const after = text[at + 1] ?? " ";
  if (WORD.test(before) || /\s/.test(after) || after === mark) return null;
  const end = closing(text, at + 1, mark);
  if (end < 0) {
    dead.add(mark);
    return null;
  }
  const inner = inline(text.slice(at + 1, end), names, active + mark);
  return { node: el(STYLES[mark], {}, inner), end: end + 1 };
}

// Where the style opened before `from` closes, skipping code and <…>; -1 when it never does.
function closing(text, from, mark) {
  const skip = { "`": "`", "<": ">" };
  for (let at = from; at < text.length; at += 1) {
    const until = skip[text[at]];
    const jump = until ? text.indexOf(until, at + 1) : -1;
    if (jump > 0) at = jump;
    else if (until) delete skip[text[at]];
    else if (text[at] === mark && at > from && closes(text, at, mark)) return at;
  }
  return -1;
}

const closes = (text, at, mark) =>
  !/\s/.test(text[at - 1]) && text[at - 1] !== mark && !WORD.test(text[at + 1] ?? " ");

// Text in which <…> shows as its label and nothing else is interpreted (code).
function plain(text, names) {
  return text.split(/(<[^<>\n]{1,4000}>)/).map((part, index) => {
    const node = index % 2 === 1 ? entity(part.slice(1, -1), names) : null;
    return node ? node.textContent : decode(part);
  }).join("");
}

// What stands between < and >: mention, date or link; null when it is nothing we know (shown as written).
function entity(body, names) {
  const [target, ...rest] = body.split("|");
  const label = rest.join("|");
  if (target.startsWith("@")) return person(target.slice(1), label, names);
  if (target.startsWith("#")) return channelLink(target.slice(1), label, names);
  if (target.startsWith("!")) return special(target.slice(1), label, names);
  return link(decode(target), label ? decode(withEmoji(label)) : decode(target));
}

/** "@name", marked when it is the reader. */
export function person(id, label, names) {
  const mine = id === names.me?.id ? " mine" : "";
  return el("span", { class: `mention${mine}` }, `@${names.userName(id, decode(label || id))}`);
}

/** "#channel", a link when the channel is known. */
export function channelLink(id, label, names) {
  const name = `#${names.channelName(id, decode(label || id))}`;
  return names.channels.has(id) ? el("a", { class: "mention", href: `#/${id}` }, name) : el("span", { class: "mention" }, name);
}

function special(body, label, names) {
  const [kind, first, second, third] = body.split("^");
  if (kind === "date") return date(first, second ?? "", third, label, names);
  if (kind === "subteam") return el("span", { class: "mention" }, `@${names.groupName(first, decode(label || first).replace(/^@/, ""))}`);
  if (["here", "channel", "everyone"].includes(kind)) return el("span", { class: "mention mine" }, `@${kind}`);
  return label ? document.createTextNode(decode(label)) : null;
}

function date(seconds, pattern, address, fallback, names) {
  if (!/^\d{1,12}$/.test(seconds ?? "")) return document.createTextNode(decode(fallback));
  const words = slackDate(Number(seconds), decode(pattern), names.tz, names.now());
  const node = el("time", { datetime: new Date(seconds * 1000).toISOString(), title: fullTime(seconds, names.tz) }, words);
  const outer = address ? link(decode(address), "") : null;
  if (!outer) return node;
  outer.replaceChildren(node);
  return outer;
}

/** A link that is safe to follow, or null. */
export function link(address, label) {
  const target = followable(address);
  if (!target) return null;
  const outside = target.inside ? {} : { target: "_blank", rel: "noopener noreferrer" };
  return el("a", { href: target.href, class: "link", ...outside }, label || address);
}
