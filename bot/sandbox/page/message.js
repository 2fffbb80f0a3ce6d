// Draws one message: author, time, text or blocks, attachments, files, reactions, thread link.
import { avatar } from "./avatar.js";
import { blocks } from "./blocks/index.js";
import { picture } from "./blocks/image.js";
import { el, icon, dropDown } from "./dom.js";
import { emoji, REACTIONS } from "./emoji.js";
import { FormState } from "./form.js";
import { ownImage } from "./links.js";
import { mrkdwn } from "./mrkdwn.js";
import { messageRoute, threadRoute } from "./route.js";
import { clockTime, dayName, fullTime } from "./time.js";

export const authorOf = (message, store) => message.user ?? (message.bot_id ? store.botId : null) ?? message.username ?? "?";
const isBot = (message, store) => Boolean(message.bot_id) || message.user === store.botId;

/**
 * Draw a message as a list item. `place` is {channel, inThread, isThreadRoot}, `look` {day, grouped},
 * `app` {store, interactions, forms, react}.
 */
export function drawMessage(message, place, look, app) {
  const only = message.is_ephemeral ? el("div", { class: "only-you" }, icon("eye"), "Only visible to you") : null;
  const body = message.subtype === "tombstone" ? el("div", { class: "deleted" }, message.text) : content(message, place, app);
  const testid = place.isThreadRoot ? `root-${message.ts}` : `message-${message.ts}`;
  const classes = ["message", look.grouped ? "grouped" : "", message.is_ephemeral ? "ephemeral" : "", mentionsMe(message, app.store) ? "for-me" : ""];
  return el("li", { class: "row" },
    look.day ? dayLine(message, app.store) : null,
    el("article", { class: classes.join(" "), testid, data: { ts: message.ts }, "aria-label": spoken(message, app.store) },
      el("div", { class: "gutter" }, look.grouped || message.subtype === "tombstone" ? null : face(message, app.store)),
      el("div", { class: "content" }, only, look.grouped ? null : head(message, place, app.store), body, look.grouped ? edited(message) : null, tail(message, place, app)),
      message.subtype === "tombstone" || message.is_ephemeral ? null : tools(message, place, look, app)));
}

const dayLine = (message, store) =>
  el("div", { class: "day", role: "separator" }, el("span", {}, dayName(Number(message.ts), store.tz, store.now())));

const face = (message, store) => avatar(store.users.get(message.user), isBot(message, store));

function spoken(message, store) {
  return `${store.userName(authorOf(message, store))}, ${clockTime(message.ts, store.tz)}`;
}

const mentionsMe = (message, store) => Boolean(store.me && message.text?.includes(`<@${store.me.id}>`));

function head(message, place, store) {
  return el("div", { class: "message-head" },
    message.subtype === "tombstone" ? null : el("span", { class: "author" }, message.username || store.userName(authorOf(message, store))),
    isBot(message, store) && message.subtype !== "tombstone" ? el("span", { class: "badge" }, "APP") : null,
    stamp(message, place, store), edited(message));
}

const edited = (message) =>
  (message.edited && message.subtype !== "tombstone" ? el("span", { class: "edited", title: "This message was edited" }, "(edited)") : null);

function stamp(message, place, store) {
  const words = clockTime(message.ts, store.tz);
  const title = fullTime(message.ts, store.tz);
  if (message.is_ephemeral) return el("span", { class: "stamp", title }, words);
  return el("a", { class: "stamp", href: messageRoute(place.channel, message), title }, words);
}

/** What the app is told about, and how its controls are kept, for one message. */
export function messageSurface(message, place, app) {
  const key = `message:${place.channel}:${message.ts}`;
  const form = new FormState(app.forms.get(key));
  app.forms.set(key, form);
  const container = { channel: place.channel, message_ts: message.ts };
  return { key, container, form, names: app.store, interactions: app.interactions };
}

// What a person typed is drawn from its text: its block is only a copy, without the styles.
function content(message, place, app) {
  const surface = messageSurface(message, place, app);
  const notice = app.interactions.notice(surface.key);
  return [
    message.blocks?.length && !message.client_msg_id ? blocks(message.blocks, surface) : words(message, app.store),
    (message.attachments ?? []).map((attachment) => drawAttachment(attachment, surface)),
    (message.files ?? []).map((file) => drawFile(file, app.store)),
    notice ? el("div", { class: "notice", role: "alert", testid: `notice-${message.ts}` }, notice) : null,
  ];
}

function words(message, store) {
  return message.text ? el("div", { class: "text" }, mrkdwn(message.text, store)) : null;
}

const HEX = /^#?[0-9a-f]{6}$/i;
const NAMED = { good: "good", warning: "warning", danger: "danger" };

function drawAttachment(attachment, surface) {
  const box = el("div", { class: `attachment ${NAMED[attachment.color] ?? ""}` });
  if (HEX.test(attachment.color ?? "")) box.style.borderLeftColor = `#${attachment.color.replace("#", "")}`;
  if (attachment.blocks?.length) box.append(blocks(attachment.blocks, surface));
  else box.append(el("div", { class: "text" }, mrkdwn(attachment.text ?? attachment.fallback ?? "", surface.names)));
  return dropDown(box);
}

function drawFile(file, store) {
  const address = file.url_private ?? file.permalink;
  const name = file.title || file.name || "file";
  if (file.mimetype?.startsWith("image/")) {
    return el("figure", { class: "block-image", testid: `file-${file.id}` },
      el("figcaption", { class: "image-title" }, name),
      picture(address, file.alt_txt || name, "image", store, { width: file.original_w, height: file.original_h }));
  }
  const own = ownImage(address);
  const label = [icon("down"), el("span", {}, name), el("span", { class: "hint" }, sizeOf(file.size))];
  const target = own ? { href: own, target: "_blank", rel: "noopener", download: file.name } : {};
  return el(own ? "a" : "span", { class: "file", testid: `file-${file.id}`, ...target }, label);
}

function sizeOf(bytes) {
  if (!bytes) return "";
  return bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1048576).toFixed(1)} MB`;
}

function tail(message, place, app) {
  return [reactions(message, place, app), place.inThread ? null : threadLink(message, place, app.store)];
}

function reactions(message, place, app) {
  if (!message.reactions?.length) return null;
  return el("div", { class: "reactions" }, message.reactions.map((reaction) => {
    const users = reaction.users ?? [];
    const count = reaction.count ?? users.length;
    const mine = users.includes(app.store.me?.id);
    const who = users.map((id) => app.store.userName(id)).join(", ");
    return el("button", {
      type: "button", class: `reaction${mine ? " mine" : ""}`, title: `${who} reacted with :${reaction.name}:`,
      "aria-label": `${reaction.name}, ${count}, ${mine ? "remove yours" : "add yours"}`, "aria-pressed": mine ? "true" : "false",
      testid: `reaction-${reaction.name}`, on: { click: () => app.react(place.channel, message.ts, reaction.name, mine) },
    }, emoji(reaction.name) ?? `:${reaction.name}:`, el("span", { class: "count" }, count));
  }));
}

function threadLink(message, place, store) {
  if (!message.reply_count) return null;
  const count = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  const last = message.latest_reply ? `last ${clockTime(message.latest_reply, store.tz)}` : "";
  return el("a", { class: "thread-link", href: threadRoute(place.channel, message.ts), testid: `replies-${message.ts}` },
    el("strong", {}, count), " ", el("span", { class: "hint" }, last));
}

function tools(message, place, look, app) {
  const reply = el("a", { class: "tool", href: threadRoute(place.channel, message.ts), "aria-label": "Reply in thread", title: "Reply in thread", testid: `reply-${message.ts}` }, icon("reply"));
  const time = look.grouped ? stamp(message, place, app.store) : null;
  return el("div", { class: "tools" }, time, reactionPicker(message, place, app), place.inThread ? null : reply);
}

function reactionPicker(message, place, app) {
  const pick = (name) => { box.open = false; app.react(place.channel, message.ts, name); };
  const choices = REACTIONS.map((name) => el("button", { type: "button", class: "pick", "aria-label": name.replaceAll("_", " "), on: { click: () => pick(name) } }, emoji(name)));
  const box = el("details", { class: "picker" },
    el("summary", { class: "tool", "aria-label": "Add reaction", title: "Add reaction", testid: `react-${message.ts}` }, icon("smile")),
    el("div", { class: "picker-list", role: "group", "aria-label": "Reactions" }, choices));
  return dropDown(box);
}
