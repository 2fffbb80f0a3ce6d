// Offers names after "@" and commands after "/" while a person types (a combobox with a listbox).
import { el, fill, uid } from "./dom.js";

const MOST = 8;

export const COMMANDS = [
  ["/sre help", "what the bot can do"],
  ["/sre status", "what it is doing now"],
  ["/sre ask ", "ask a question, answered in a thread"],
  ["/sre stop", "stop every execution"],
  ["/sre start", "allow executions again (administrators)"],
];

export class Autocomplete {
  constructor(textarea, store) {
    this.textarea = textarea;
    this.store = store;
    this.id = uid("suggest");
    this.node = el("div", { class: "suggest", role: "listbox", id: this.id, "aria-label": "Suggestions", hidden: true, testid: `${textarea.dataset.testid}-suggestions` });
    this.items = [];
    this.index = 0;
    textarea.setAttribute("role", "combobox");
    textarea.setAttribute("aria-autocomplete", "list");
    textarea.setAttribute("aria-controls", this.id);
    textarea.setAttribute("aria-expanded", "false");
    textarea.addEventListener("input", () => this.update());
    textarea.addEventListener("click", () => this.update());
    textarea.addEventListener("blur", () => this.close());
  }

  get open() {
    return !this.node.hidden;
  }

  update() {
    const before = this.textarea.value.slice(0, this.textarea.selectionStart);
    this.items = this.mentions(before) ?? this.commands(before) ?? [];
    this.index = 0;
    if (this.items.length) this.draw();
    else this.close();
  }

  mentions(before) {
    const match = before.match(/(?:^|[\s(])@([\p{L}\p{N}._-]{0,40})$/u);
    if (!match) return null;
    const typed = match[1].toLowerCase();
    const all = this.candidates();
    if (all.some((each) => each.name.toLowerCase() === typed)) return [];
    return all.filter((each) => each.name.toLowerCase().startsWith(typed) || each.words.some((word) => word.startsWith(typed)))
      .slice(0, MOST)
      .map((each) => ({ replace: match[1].length + 1, insert: `@${each.name} `, label: `@${each.name}`, hint: each.hint }));
  }

  candidates() {
    const users = [...this.store.users.values()].map((user) => ({
      name: user.name, hint: user.real_name ?? "", words: (user.real_name ?? "").toLowerCase().split(/\s+/), bot: user.id === this.store.botId,
    }));
    const groups = [...this.store.groups.values()].map((group) => ({ name: group.handle ?? group.name, hint: "group", words: [], bot: false }));
    return [...users, ...groups].filter((each) => each.name).sort((a, b) => Number(b.bot) - Number(a.bot));
  }

  commands(before) {
    if (!/^\/[a-z]*$/.test(before) || before === "/sre") return null;
    return COMMANDS.filter(([command]) => command.startsWith(before))
      .map(([command, hint]) => ({ replace: before.length, insert: command, label: command.trim(), hint }));
  }

  draw() {
    fill(this.node, this.items.map((item, at) => el("div", {
      class: "suggestion", role: "option", id: `${this.id}-${at}`, "aria-selected": at === this.index ? "true" : "false",
      on: { mousedown: (event) => { event.preventDefault(); this.accept(at); } },
    }, el("strong", {}, item.label), " ", el("span", { class: "hint" }, item.hint))));
    this.node.hidden = false;
    this.textarea.setAttribute("aria-expanded", "true");
    this.textarea.setAttribute("aria-activedescendant", `${this.id}-${this.index}`);
  }

  close() {
    this.node.hidden = true;
    this.items = [];
    this.textarea.setAttribute("aria-expanded", "false");
    this.textarea.removeAttribute("aria-activedescendant");
  }

  accept(at = this.index) {
    const item = this.items[at];
    const end = this.textarea.selectionStart;
    this.textarea.setRangeText(item.insert, end - item.replace, end, "end");
    this.close();
    this.textarea.dispatchEvent(new Event("input", { bubbles: true }));
    this.close();
  }

  /** Handle a key while open; true when it was used. */
  key(event) {
    if (!this.open) return false;
    const moves = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) {
      this.index = (this.index + moves[event.key] + this.items.length) % this.items.length;
      this.draw();
    } else if (event.key === "Enter" || event.key === "Tab") this.accept();
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }
}
