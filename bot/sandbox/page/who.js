// The switcher that says who you are in this workspace.
import { avatar } from "./avatar.js";
import { el, fill, icon, keepingFocus } from "./dom.js";

const ROLE_WORDS = {
  responder: "Responder: asks, runs what is advised, may stop everything",
  approver: "Approver: decides about proposals",
  administrator: "Administrator: grants levels and roles",
  admin: "Administrator: grants levels and roles",
  observer: "Observer: reads along, may not act",
  guest: "Guest: holds no role",
};

const roleOf = (user) => (user.is_guest ? "guest" : user.role || "no role");

export class Who {
  /** `become(user)` switches. */
  constructor(store, become) {
    this.store = store;
    this.become = become;
    this.button = el("button", { type: "button", class: "who-button", testid: "who", "aria-haspopup": "true", "aria-expanded": "false", on: { click: () => this.toggle() } });
    this.menu = el("div", { class: "menu who-menu", role: "menu", "aria-label": "Be somebody else", hidden: true, on: { keydown: (event) => this.onKey(event) } });
    this.node = el("div", { class: "who" }, this.button, this.menu);
    this.node.addEventListener("focusout", (event) => { if (event.relatedTarget && !this.node.contains(event.relatedTarget)) this.toggle(false); });
    document.addEventListener("pointerdown", (event) => { if (!this.node.contains(event.target)) this.toggle(false); });
  }

  render() {
    const { me } = this.store;
    const shown = JSON.stringify([me, this.store.people()]);
    if (!me || shown === this.shown) return;
    this.shown = shown;
    fill(this.button, avatar(me, false, "avatar small"),
      el("span", { class: "who-text" }, el("span", { class: "who-name" }, this.store.userName(me.id)), el("span", { class: "who-role" }, roleOf(me))), icon("down"));
    this.button.setAttribute("aria-label", `You are ${this.store.userName(me.id)}, ${roleOf(me)}. Change who you are`);
    keepingFocus(this.menu, () => fill(this.menu, el("p", { class: "menu-title" }, "Be somebody else"), this.store.people().map((user) => this.option(user))));
  }

  option(user) {
    const current = user.id === this.store.me.id;
    return el("button", { type: "button", class: "menu-item person", role: "menuitemradio", "aria-checked": current ? "true" : "false", testid: `as-${user.id}`,
      on: { click: () => this.pick(user) } },
    avatar(user, false, "avatar small"),
    el("span", { class: "who-text" }, el("span", { class: "who-name" }, this.store.userName(user.id)), el("span", { class: "hint" }, ROLE_WORDS[roleOf(user)] ?? roleOf(user))));
  }

  pick(user) {
    this.toggle(false);
    this.button.focus();
    if (user.id !== this.store.me.id) this.become(user);
  }

  toggle(open = this.menu.hidden) {
    this.menu.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) this.menu.querySelector("[aria-checked='true']")?.focus();
  }

  onKey(event) {
    const items = [...this.menu.querySelectorAll(".person")];
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key === "Escape") {
      this.toggle(false);
      this.button.focus();
    } else if (event.key in moves) items[(items.indexOf(document.activeElement) + moves[event.key] + items.length) % items.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
