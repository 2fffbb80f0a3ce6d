// The left pane: channels, App Home, and below, apart from the workspace, the sandbox panel.
import { avatar } from "./avatar.js";
import { el, fill, icon, keepingFocus } from "./dom.js";
import { channelRoute } from "./route.js";

export class Sidebar {
  constructor(store, node, sandboxNode) {
    this.store = store;
    this.channels = el("ul", { class: "nav-list" });
    this.apps = el("ul", { class: "nav-list" });
    node.append(
      el("div", { class: "nav-scroll" },
        el("h2", { class: "nav-title" }, "Channels"), this.channels,
        el("h2", { class: "nav-title" }, "Apps"), this.apps),
      sandboxNode);
  }

  render(route) {
    keepingFocus(this.channels, () => fill(this.channels, [...this.store.channels.values()].map((channel) => this.channelItem(channel, route))));
    keepingFocus(this.apps, () => fill(this.apps, this.homeItem(route)));
  }

  channelItem(channel, route) {
    const current = route.page === "channel" && route.channel === channel.id;
    const unread = this.store.unread.get(channel.id) ?? 0;
    const label = unread ? `${channel.name}, ${unread} unread` : channel.name;
    return el("li", {}, el("a", { class: `nav-item${unread ? " unread" : ""}`, href: channelRoute(channel.id), testid: `channel-${channel.id}`,
      "aria-current": current ? "page" : null, "aria-label": label },
    icon("hash"), el("span", { class: "nav-name" }, channel.name), unread ? el("span", { class: "count-badge" }, unread) : null));
  }

  homeItem(route) {
    return el("li", {}, el("a", { class: "nav-item", href: "#/home", testid: "home", "aria-current": route.page === "home" ? "page" : null },
      avatar(null, true, "avatar tiny"), el("span", { class: "nav-name" }, `${this.store.userName(this.store.botId, "sre-bot")}`), el("span", { class: "hint" }, "App Home")));
  }
}
