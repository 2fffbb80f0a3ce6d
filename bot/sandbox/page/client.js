// The client as a whole: which panes show, what an event changes, and loading after every (re)connection.
import { api, explain } from "./api.js";
import { ChannelPane } from "./channel.js";
import { toast } from "./dialog.js";
import { announce, closeMenusOnOutsideClick, el } from "./dom.js";
import { EventStream } from "./events.js";
import { HomePane } from "./home.js";
import { Interactions } from "./interactions.js";
import { authorOf } from "./message.js";
import { Modals } from "./modal.js";
import { channelRoute, messageRoute, parseRoute } from "./route.js";
import { SandboxPanel } from "./sandbox.js";
import { Sidebar } from "./sidebar.js";
import { watchPointer, whenReleased } from "./steady.js";
import { isReply, Store } from "./store.js";
import { ThreadPane } from "./thread.js";
import { receive } from "./receive.js";
import { Who } from "./who.js";

const REMEMBER = "sandbox.user";
const LOOK_AGAIN_MS = 3000;

export class Client {
  constructor() {
    this.store = new Store();
    this.api = api;
    this.forms = new Map(); // message surface → FormState
    this.interactions = new Interactions({ api, store: this.store, onChange: (key) => this.surfaceChanged(key) });
    this.waiting = null; // events that arrived while loading
    this.loads = 0;
    this.stream = new EventStream({
      onEvent: (event) => (this.waiting ? this.waiting.push(event) : this.apply(event)),
      onOpen: () => this.reload(),
      onBreak: () => this.setBanner("Reconnecting… what you see may be out of date."),
    });
    this.panes();
    this.store.addEventListener("change", () => this.draw());
    window.addEventListener("hashchange", () => this.navigate());
  }

  panes() {
    const at = (id) => document.getElementById(id);
    this.frame = at("app");
    this.banner = at("banner");
    this.main = at("main");
    this.sandbox = new SandboxPanel({ api: this.api, store: this.store, ask: (text) => this.ask(text) });
    this.sidebar = new Sidebar(this.store, at("sidebar"), this.sandbox.node);
    this.channelPane = new ChannelPane(this);
    this.homePane = new HomePane(this);
    this.threadPane = new ThreadPane(this, at("thread"));
    this.modals = new Modals(this);
    this.who = new Who(this.store, (user) => this.become(user));
    this.teamName = el("span", { class: "team" });
    watchPointer();
    closeMenusOnOutsideClick();
    document.querySelector("[data-skip]").addEventListener("click", (event) => {
      event.preventDefault(); // the address holds the route
      this.focusComposer();
    });
    at("top").append(this.teamName, this.who.node);
  }

  // --- start, switch, reload

  async start() {
    this.setBanner("Connecting…");
    const state = await this.firstState();
    this.store.loadState(state);
    const people = this.store.people();
    const remembered = sessionStorage.getItem(REMEMBER);
    this.store.me = people.find((user) => user.id === remembered) ?? people.find((user) => user.role === "responder") ?? people[0];
    followPermalink();
    this.navigate();
    this.stream.open(this.store.me.id);
    await this.sandbox.open();
  }

  async firstState() {
    for (let wait = 300; ; wait = Math.min(wait * 2, 3000)) {
      try {
        return await this.api.state();
      } catch (error) {
        this.setBanner(`${explain(error)} Trying again…`);
        await new Promise((resolve) => { setTimeout(resolve, wait); });
      }
    }
  }

  become(user) {
    sessionStorage.setItem(REMEMBER, user.id);
    this.modals.reset();
    this.interactions.clear();
    this.forms.clear();
    this.homePane.reset();
    this.store.become(user);
    announce(`You are now ${this.store.userName(user.id)}`);
    this.stream.open(user.id);
    if (this.route.page === "home") this.homePane.open();
  }

  // Load everything that is shown. Events that come meanwhile wait, so that an older answer never overwrites a newer event.
  async reload() {
    const mine = ++this.loads;
    this.waiting ??= [];
    try {
      this.store.loadState(await this.api.state());
      await this.loadShown();
      this.sayAppState();
    } catch (error) {
      this.setBanner(`${explain(error)} Trying again…`);
      setTimeout(() => { if (mine === this.loads && this.stream.connected) this.reload(); }, 1500);
    }
    if (mine !== this.loads) return;
    const events = this.waiting ?? [];
    this.waiting = null;
    events.forEach((event) => this.apply(event));
    this.showTarget();
    this.sandbox.reload();
  }

  // The bot may start after its workspace: say so, and look again.
  sayAppState() {
    const { appConnected, botId } = this.store;
    this.setBanner(appConnected ? "" : `${this.store.userName(botId, "The app")} is not connected right now.`);
    clearTimeout(this.lookAgain);
    if (!appConnected) this.lookAgain = setTimeout(() => this.stream.connected && this.reload(), LOOK_AGAIN_MS);
  }

  async loadShown() {
    const { channel, thread, page } = this.route;
    const user = this.store.me.id;
    if (!channel || page !== "channel" || !this.store.channels.has(channel)) return;
    const { messages } = await this.api.messages(channel, user);
    if (user === this.store.me.id) this.store.loadChannel(channel, messages);
    if (thread) await this.loadThread(channel, thread);
  }

  async loadThread(channel, thread) {
    const user = this.store.me.id;
    try {
      const { messages } = await this.api.thread(channel, thread, user);
      if (user !== this.store.me.id) return;
      const root = messages[0];
      if (root && isReply(root) && root.ts === thread) location.replace(`#/${channel}/${root.thread_ts}/${root.ts}`);
      else this.store.loadThread(channel, thread, messages);
    } catch (error) {
      if (error.code === "network") throw error;
      toast(explain(error));
    }
  }

  // --- where we are

  navigate() {
    this.route = parseRoute(location.hash);
    if (this.route.page === "channel" && !this.route.channel) {
      const first = this.store.channels.keys().next().value;
      if (first) return location.replace(channelRoute(first));
    }
    const key = JSON.stringify([this.route.page, this.route.channel, this.route.thread]);
    const moved = key !== this.shown;
    this.shown = key;
    this.store.unread.delete(this.route.channel);
    this.draw();
    if (moved) this.entered();
    else this.showTarget();
    return undefined;
  }

  // A newly opened pane loads its content, unless a reload of everything is under way.
  async entered() {
    if (this.route.page === "home") await this.homePane.open();
    if (this.route.page === "menu") return;
    if (window.matchMedia("(min-width: 701px)").matches && !this.focusIsSet) this.focusComposer();
    this.focusIsSet = false;
    if (!this.stream.connected) return;
    await this.reload();
  }

  focusComposer() {
    if (this.route.page !== "channel" || document.querySelector("dialog[open]")) return;
    (this.route.thread ? this.threadPane : this.channelPane).composer.focus();
  }

  showTarget() {
    const { thread, target } = this.route;
    if (!thread || !target) return;
    if (target !== thread) this.threadPane.list.show(target);
  }

  /** Put a question into the composer of a channel that the bot is in. */
  ask(text) {
    const here = this.store.channels.get(this.route.channel);
    const channel = here?.bot_is_member === false || !here ? [...this.store.channels.values()].find((each) => each.bot_is_member !== false) : here;
    if (!channel) return;
    location.hash = channelRoute(channel.id);
    this.navigate();
    this.channelPane.composer.use(text);
  }

  /** After a thread was closed, focus goes to what opened it. */
  focusAfterThread(channel, thread) {
    this.focusIsSet = true; // the route's change must not move it on
    const opener = document.querySelector(`[data-testid="replies-${CSS.escape(thread)}"]`) ?? document.querySelector("#composer-text");
    opener?.focus({ preventScroll: true });
  }

  /** A message was sent: normally it comes back as an event; without a stream, load. */
  afterSend() {
    if (!this.stream.connected) this.reload();
  }

  react = async (channel, ts, name, remove = false) => {
    try {
      await this.api.react({ user: this.store.me.id, channel, ts, name, ...(remove ? { remove } : {}) });
    } catch (error) {
      if (error.code !== "already_reacted") toast(explain(error));
    }
  };

  // --- what happens

  apply(event) {
    receive(event, this);
  }

  /** A message that was not known before arrived. */
  arrived(channel, message) {
    if (channel !== this.route.channel || this.route.page !== "channel") this.countUnread(channel, message);
    else if (message.user !== this.store.me?.id) this.sayNew(message);
  }

  countUnread(channel, message) {
    if (isReply(message) || message.user === this.store.me?.id) return;
    this.store.unread.set(channel, (this.store.unread.get(channel) ?? 0) + 1);
    this.draw();
  }

  sayNew(message) {
    const where = isReply(message) ? " in a thread" : "";
    const words = (message.text ?? "").replace(/<[^>|]*\|?([^>]*)>/g, "$1").slice(0, 160);
    announce(`${this.store.userName(authorOf(message, this.store))}${where}: ${words}`);
  }

  surfaceChanged(key) {
    if (key === "home") this.homePane.draw();
    else if (key.startsWith("view:")) this.modals.draw();
    else this.draw();
  }

  // --- drawing

  setBanner(words) {
    this.banner.textContent = words;
    this.banner.hidden = !words;
  }

  draw() {
    whenReleased(this, () => this.redraw());
  }

  redraw() {
    const { page, channel, thread } = this.route ?? {};
    if (!page || !this.store.me) return;
    this.frame.dataset.page = page === "channel" && thread ? "thread" : page;
    this.teamName.textContent = teamName(this.store.team);
    this.who.render();
    this.sidebar.render(this.route);
    const pane = page === "home" ? this.homePane : this.channelPane;
    if (this.main.firstChild !== pane.node) this.main.replaceChildren(pane.node);
    if (page === "channel" && channel) this.channelPane.render(channel);
    if (page === "channel" && thread) this.threadPane.render(channel, thread);
    else this.threadPane.hide();
    document.title = page === "home" ? "App Home" : `#${this.store.channelName(channel ?? "")} · ${teamName(this.store.team)}`;
  }
}

// A permalink leads here as /?channel=…&ts=…&thread_ts=…: turn it into a route.
function followPermalink() {
  const query = new URLSearchParams(location.search);
  const [channel, ts, thread] = ["channel", "ts", "thread_ts"].map((name) => query.get(name));
  if (!channel || !ts) return;
  history.replaceState(null, "", `/${messageRoute(channel, { ts, thread_ts: thread })}`);
}

const teamName = (team) => (typeof team === "string" ? team : team?.name ?? "Sandbox");
