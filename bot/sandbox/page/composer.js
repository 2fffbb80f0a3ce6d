// The box in which a person writes: Enter sends, Shift+Enter breaks the line, "/" runs a command, drafts are kept.
import { explain } from "./api.js";
import { Autocomplete } from "./autocomplete.js";
import { append, el, fill, icon } from "./dom.js";

const MAX_HEIGHT_PX = 200;

export class Composer {
  /** `send(text)` posts a message or command and may throw an ApiError. */
  constructor({ store, send, id, testid, sendTestid, prompts = [] }) {
    this.send = send;
    this.drafts = new Map();
    this.key = null;
    this.busy = false;
    this.text = el("textarea", { id, rows: 1, class: "composer-text", testid, enterkeyhint: "send", autocomplete: "off", spellcheck: "true",
      on: { keydown: (event) => this.onKey(event), input: () => this.onInput() } });
    this.complete = new Autocomplete(this.text, store);
    this.button = el("button", { type: "submit", class: "send", testid: sendTestid, "aria-label": "Send message", "aria-disabled": "true" }, icon("send"));
    this.problem = el("div", { class: "problem", role: "alert", hidden: true });
    this.prompts = el("div", { class: "prompts", role: "group", "aria-label": "Example messages" });
    this.node = el("form", { class: "composer", autocomplete: "off", on: { submit: (event) => { event.preventDefault(); this.submit(); } } },
      this.complete.node, this.prompts, this.problem, el("div", { class: "composer-box" }, this.text, this.button));
    this.setPrompts(prompts);
  }

  setPrompts(prompts) {
    fill(this.prompts, prompts.length ? el("span", { class: "hint prompts-label" }, "Try") : null);
    append(this.prompts, prompts.map((prompt) => el("button", { type: "button", class: "prompt", on: { click: () => this.use(prompt) } }, prompt)));
    this.refresh();
  }

  /** Switch to another conversation: its draft, its placeholder. */
  point(key, label) {
    this.text.placeholder = label;
    this.text.setAttribute("aria-label", label);
    if (key === this.key) return;
    if (this.key) this.drafts.set(this.key, this.text.value);
    this.key = key;
    this.fillIn(this.drafts.get(key) ?? "");
    this.fail("");
  }

  fillIn(text) {
    this.text.value = text;
    this.onInput();
    this.complete.close();
  }

  use(prompt) {
    this.fillIn(prompt);
    this.text.focus();
    this.text.setSelectionRange(prompt.length, prompt.length);
  }

  onInput() {
    this.text.style.height = "auto";
    this.text.style.height = `${Math.min(this.text.scrollHeight, MAX_HEIGHT_PX)}px`;
    this.refresh();
  }

  refresh() {
    this.button.setAttribute("aria-disabled", this.busy || !this.text.value.trim() ? "true" : "false");
    this.prompts.hidden = !this.prompts.childElementCount || this.text.value !== "";
  }

  onKey(event) {
    if (event.isComposing || this.complete.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    }
  }

  async submit() {
    const text = this.text.value;
    const key = this.key;
    if (this.busy || !text.trim()) return;
    this.busy = true;
    this.refresh();
    this.fail("");
    try {
      await this.send(text);
      this.sent(key, text);
    } catch (error) {
      this.fail(explain(error));
    } finally {
      this.busy = false;
      this.refresh();
    }
  }

  // Clear only what was sent: the person may have typed on, or gone elsewhere.
  sent(key, text) {
    if (this.key !== key) this.drafts.delete(key);
    else if (this.text.value === text) this.fillIn("");
  }

  fail(words) {
    this.problem.textContent = words;
    this.problem.hidden = !words;
  }

  focus() {
    this.text.focus();
  }
}
