// The right pane: one thread and its composer.
import { Composer } from "./composer.js";
import { el, icon } from "./dom.js";
import { MessageList } from "./messages.js";
import { post } from "./post.js";
import { channelRoute, go } from "./route.js";

export class ThreadPane {
  constructor(app, node) {
    this.app = app;
    this.node = node;
    this.channel = null;
    this.thread = null;
    this.list = new MessageList(app, "Messages in this thread", "thread-messages");
    this.composer = new Composer({
      store: app.store, id: "thread-text", testid: "thread-composer", sendTestid: "thread-send",
      send: (text) => this.send(text),
    });
    this.back = el("a", { class: "icon-button back", "aria-label": "Back to the channel", testid: "back-channel" }, icon("back"));
    this.place = el("span", { class: "topic" });
    this.status = el("p", { class: "status", role: "status", testid: "thread-status" });
    const shut = el("button", { type: "button", class: "icon-button wide-only", "aria-label": "Close thread", testid: "thread-close", on: { click: () => this.close() } }, icon("close"));
    node.append(el("section", { class: "pane" },
      el("div", { class: "pane-head" }, this.back, el("div", { class: "pane-names" }, el("h2", { class: "pane-title" }, "Thread"), this.place), shut),
      this.list.node, this.status, this.composer.node));
    node.addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    this.close();
  }

  close() {
    const { channel, thread } = this;
    go(channelRoute(channel));
    this.app.focusAfterThread(channel, thread);
  }

  async send(text) {
    const { channel, thread } = this;
    await post({ api: this.app.api, store: this.app.store, channel, threadTs: thread }, text);
    this.list.toBottom();
    this.app.afterSend(channel, thread);
  }

  hide() {
    if (this.thread) this.list.reset(null); // what is not shown must not be found either
    this.node.hidden = true;
    this.thread = null;
  }

  render(channel, thread) {
    this.channel = channel;
    this.thread = thread;
    this.node.hidden = false;
    this.back.setAttribute("href", channelRoute(channel));
    const { store } = this.app;
    this.place.textContent = `#${store.channelName(channel)}`;
    const root = store.message(channel, thread);
    const messages = [...(root ? [root] : []), ...store.replies(channel, thread)];
    this.list.render(`${channel}/${thread}`, messages, { channel, inThread: true, thread }, "This thread is empty, or its first message is gone.");
    const status = store.statuses.get(`${channel}/${thread}`);
    const words = status ? `${store.userName(store.botId)} ${status}` : "";
    if (this.status.textContent !== words) this.status.textContent = words;
    this.composer.point(`${channel}/${thread}`, "Reply…");
  }
}
