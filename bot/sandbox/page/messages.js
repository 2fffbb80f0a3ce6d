// Keeps a scrolling list of messages in step with the store, redrawing only what changed.
import { el, icon, keepingFocus } from "./dom.js";
import { authorOf, drawMessage } from "./message.js";
import { dayKey } from "./time.js";

const NEAR_BOTTOM_PX = 80;
const GROUP_SECONDS = 300;

export class MessageList {
  /** `app` as in message.js; `label` names the list for assistive technology. */
  constructor(app, label, testid) {
    this.app = app;
    this.rows = new Map(); // ts → {node, message, mark}
    this.key = null;
    this.list = el("ol", { class: "messages", "aria-label": label });
    this.empty = el("p", { class: "empty", hidden: true });
    this.jump = el("button", { type: "button", class: "jump", hidden: true, on: { click: () => this.toBottom() } }, icon("down"), "New messages");
    this.scroller = el("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": label, testid, on: { scroll: () => this.onScroll() } }, this.empty, this.list);
    this.node = el("div", { class: "scroll-frame" }, this.scroller, this.jump);
    this.stuck = true;
    new ResizeObserver(() => this.keepBottom()).observe(this.list);
    new ResizeObserver(() => this.keepBottom()).observe(this.scroller);
  }

  /** Show these messages. `key` says which conversation it is; a new one starts at its end. */
  render(key, messages, place, emptyText) {
    if (key !== this.key) this.reset(key);
    this.empty.textContent = emptyText;
    this.empty.hidden = messages.length > 0;
    const before = this.rows.size;
    keepingFocus(this.list, () => this.sync(messages, place));
    if (!this.stuck && this.rows.size > before && before > 0) this.jump.hidden = false;
    this.keepBottom();
  }

  reset(key) {
    this.key = key;
    this.rows.clear();
    this.list.replaceChildren();
    this.stuck = true;
    this.jump.hidden = true;
  }

  sync(messages, place) {
    const wanted = new Set(messages.map((message) => message.ts));
    for (const [ts, row] of this.rows) if (!wanted.has(ts)) this.drop(ts, row);
    let previous = null;
    let last = null;
    for (const message of messages) {
      const node = this.row(message, previous, place);
      const next = last ? last.nextElementSibling : this.list.firstElementChild;
      if (node !== next) this.list.insertBefore(node, next);
      previous = message;
      last = node;
    }
  }

  drop(ts, row) {
    row.node.remove();
    this.rows.delete(ts);
  }

  row(message, previous, place) {
    const look = this.look(message, previous);
    const isRoot = place.inThread && message.ts === place.thread;
    const mark = `${look.day}|${look.grouped}|${this.app.interactions.mark(`message:${place.channel}:${message.ts}`)}`;
    const old = this.rows.get(message.ts);
    if (old && old.message === message && old.mark === mark) return old.node;
    const node = drawMessage(message, { ...place, isThreadRoot: isRoot }, look, this.app);
    if (old) old.node.replaceWith(node);
    this.rows.set(message.ts, { node, message, mark });
    return node;
  }

  look(message, previous) {
    const { store } = this.app;
    const day = !previous || dayKey(message.ts, store.tz) !== dayKey(previous.ts, store.tz);
    const sameAuthor = previous && authorOf(previous, store) === authorOf(message, store) && !previous.is_ephemeral === !message.is_ephemeral;
    const grouped = Boolean(!day && sameAuthor && Number(message.ts) - Number(previous.ts) < GROUP_SECONDS
      && previous.subtype !== "tombstone" && !previous.reply_count);
    return { day, grouped };
  }

  /** Forget what is drawn (names or zone changed). */
  redrawAll() {
    this.rows.forEach((row) => { row.mark = null; });
  }

  /** Bring one message into view and mark it for a moment. */
  show(ts) {
    const node = this.rows.get(ts)?.node;
    if (!node) return;
    this.stuck = false;
    node.scrollIntoView({ block: "center" });
    node.classList.add("target");
    setTimeout(() => node.classList.remove("target"), 2500);
  }

  onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.stuck = scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
    if (this.stuck) this.jump.hidden = true;
  }

  keepBottom() {
    if (this.stuck) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  toBottom() {
    this.stuck = true;
    this.jump.hidden = true;
    this.keepBottom();
  }
}
