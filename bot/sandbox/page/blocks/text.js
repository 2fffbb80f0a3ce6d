// Draws Slack's text objects.
import { el } from "../dom.js";
import { withEmoji } from "../emoji.js";
import { mrkdwn } from "../mrkdwn.js";

/** A text object (or plain string) as nodes: mrkdwn when it says so, else literal text. */
export function text(object, names) {
  if (object === undefined || object === null) return "";
  if (typeof object === "string") return object;
  if (object.type === "mrkdwn") return mrkdwn(object.text, names);
  return plain(object);
}

/** The literal text of a text object. */
export function plain(object) {
  if (typeof object === "string") return object;
  const words = String(object?.text ?? "");
  return object?.emoji === false ? words : withEmoji(words);
}

/** A text object inside its own box; plain text keeps its line breaks. */
export function textBox(tag, className, object, names) {
  const literal = object?.type === "mrkdwn" ? "" : " literal";
  return el(tag, { class: `${className}${literal}` }, text(object, names));
}
