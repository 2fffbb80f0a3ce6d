// The middle pane: a channel's messages and its composer.
import { Composer } from "./composer.js";
import { el, fill, icon } from "./dom.js";
import { MessageList } from "./messages.js";
import { post } from "./post.js";

export const PROMPTS = ["@sre-bot why is checkout slow", "@sre-bot is everything all right in prod?", "/sre status", "/sre help"];

export class ChannelPane {
  constructor(app) {
    this.app = app;
    this.channel = null;
    this.title = el("h1", { class: "pane-title", tabindex: -1 });
    this.topic = el("span", { class: "topic" });
    this.list = new MessageList(app, "Messages in this channel", "channel-messages");
    this.composer = new Composer({
      store: app.store, id: "composer-text", testid: "composer", sendTestid: "send",
      send: (text) => this.send(text),
    });
    const back = el("a", { class: "icon-button back", href: "#/menu", "aria-label": "Back to channels", testid: "back-menu" }, icon("back"));
    this.node = el("section", { class: "pane" },
      el("div", { class: "pane-head" }, back, el("div", { class: "pane-names" }, this.title, this.topic)),
      this.list.node, this.composer.node);
  }

  async send(text) {
    await post({ api: this.app.api, store: this.app.store, channel: this.channel }, text);
    this.list.toBottom();
    this.app.afterSend(this.channel, null);
  }

  render(channel) {
    this.channel = channel;
    const { store } = this.app;
    const known = store.channels.get(channel);
    const name = known?.name ?? channel;
    const inside = known && known.bot_is_member !== false;
    fill(this.title, "#", name);
    this.topic.textContent = topicOf(known);
    this.list.render(channel, store.roots(channel), { channel, inThread: false },
      known ? `This is the start of #${name}.${inside ? " Ask @sre-bot what is wrong, for example with a line from below." : ""}` : "There is no such channel.");
    this.composer.point(channel, `Message #${name}`);
    const prompts = inside ? PROMPTS : [];
    if (this.prompts !== prompts) this.composer.setPrompts(prompts);
    this.prompts = prompts;
  }
}

function topicOf(channel) {
  if (!channel) return "";
  const topic = typeof channel.topic === "string" ? channel.topic : channel.topic?.value ?? "";
  return [topic, channel.bot_is_member === false ? "sre-bot is not in this channel" : ""].filter(Boolean).join(" · ");
}
