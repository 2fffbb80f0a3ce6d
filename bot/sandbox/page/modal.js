// Modals: a stack of views, what was entered in each, submissions with their errors, and closing.
import { explain } from "./api.js";
import { blocks } from "./blocks/index.js";
import { plain } from "./blocks/text.js";
import { openDialog } from "./dialog.js";
import { el, fill, icon, keepingFocus } from "./dom.js";
import { FormState } from "./form.js";
import { whenReleased } from "./steady.js";

export class Modals {
  constructor(app) {
    this.app = app;
    this.stack = []; // {view, form, errors, problem}
    this.dialog = null;
    this.busy = false;
    this.fresh = false; // the next drawing is of another view: focus goes to its first field
  }

  get top() {
    return this.stack[this.stack.length - 1];
  }

  find(id) {
    return this.stack.find((entry) => entry.view.id === id);
  }

  // --- what the server says

  opened(view) {
    if (this.find(view.id)) return this.updated(view);
    const pushed = view.previous_view_id && this.find(view.previous_view_id);
    if (!pushed) this.stack = [];
    this.stack.push({ view, form: new FormState(), errors: {}, problem: "" });
    return this.draw(true);
  }

  updated(view) {
    const entry = this.find(view.id);
    if (!entry) return;
    Object.assign(entry, { view, errors: {}, problem: "" });
    this.draw();
  }

  closed(id, all = false) {
    if (!all && !this.find(id)) return;
    this.stack = all ? [] : this.stack.filter((entry) => entry.view.id !== id);
    this.draw(true);
  }

  reset() {
    this.stack = [];
    this.draw();
  }

  // --- what the person does

  async submit() {
    const entry = this.top;
    if (!entry || this.busy || !this.valid(entry)) return;
    this.setBusy(true);
    entry.problem = "";
    try {
      const answer = await this.app.api.submit({ user: this.app.store.me.id, view_id: entry.view.id, state: { values: entry.form.values() } });
      this.answered(entry, answer);
    } catch (error) {
      this.refused(entry, error);
    } finally {
      this.setBusy(false);
    }
  }

  answered(entry, answer) {
    const action = answer.response_action;
    if (action === "errors") this.showErrors(entry, answer.errors);
    else if (action === "clear") this.closed(null, true);
    else if (action === "update") this.replaceBy(entry, answer.view);
    else if (action === "push") answer.view && this.opened({ previous_view_id: entry.view.id, ...answer.view });
    else this.closed(entry.view.id);
  }

  refused(entry, error) {
    if (error.body?.errors) return this.showErrors(entry, error.body.errors);
    entry.problem = explain(error);
    return this.draw();
  }

  replaceBy(entry, view) {
    if (!view) return; // it comes as view_updated
    entry.view = { ...view, id: view.id ?? entry.view.id };
    this.updated(entry.view);
  }

  showErrors(entry, errors) {
    entry.errors = errors ?? {};
    this.draw();
    this.dialog?.node.querySelector("[aria-invalid='true']")?.focus();
  }

  // As Slack does: a required field left empty is said beside the field, and nothing is sent.
  valid(entry) {
    const missing = (entry.view.blocks ?? []).filter((block) => block.type === "input" && !block.optional && isEmpty(entry.form.entry(block.block_id, block.element?.action_id)));
    if (!missing.length) return true;
    this.showErrors(entry, Object.fromEntries(missing.map((block) => [block.block_id, "Please complete this required field."])));
    return false;
  }

  /** Close the top view (and all below it when the view asks for that). */
  async close(all = false) {
    const gone = all || this.top?.view.clear_on_close ? [...this.stack].reverse() : [this.top];
    this.stack = this.stack.filter((entry) => !gone.includes(entry));
    this.draw(true);
    for (const entry of gone.filter(Boolean)) await this.tell(entry.view.id);
  }

  async tell(viewId) {
    try {
      await this.app.api.closeView({ user: this.app.store.me.id, view_id: viewId });
    } catch (error) {
      explain(error); // the modal is closed for this person either way
    }
  }

  // --- drawing

  setBusy(busy) {
    this.busy = busy;
    this.draw();
  }

  draw(fresh = false) {
    this.fresh ||= fresh;
    whenReleased(this, () => this.redraw());
  }

  redraw() {
    const { fresh } = this;
    this.fresh = false;
    if (!this.top) return this.unmount();
    if (!this.dialog) this.mount();
    const { view } = this.top;
    this.dialog.node.setAttribute("aria-label", plain(view.title));
    const change = () => fill(this.dialog.node, this.frame(this.top));
    if (fresh) change();
    else keepingFocus(this.dialog.node, change);
    if (fresh) this.focusFirst();
    return undefined;
  }

  mount() {
    this.dialog = openDialog({ label: "Dialog", className: "modal", testid: "modal", onEscape: () => this.close() });
  }

  unmount() {
    this.dialog?.close();
    this.dialog = null;
  }

  focusFirst() {
    const { node } = this.dialog;
    (node.querySelector("[autofocus]") ?? node.querySelector(".modal-body input, .modal-body textarea, .modal-body select, .modal-body summary")
      ?? node.querySelector("[data-testid='modal-submit'], [data-testid='modal-close']"))?.focus();
  }

  frame(entry) {
    const { view } = entry;
    entry.form = new FormState(entry.form);
    const surface = {
      key: `view:${view.id}`, names: this.app.store, interactions: this.app.interactions, form: entry.form,
      errors: entry.errors, container: { view_id: view.id },
    };
    const problem = entry.problem || this.app.interactions.notice(surface.key);
    return el("form", { class: "modal-form", novalidate: true, on: { submit: (event) => { event.preventDefault(); this.submit(); } } },
      this.header(view),
      el("div", { class: "modal-body", tabindex: -1 }, blocks(view.blocks, surface)),
      problem ? el("div", { class: "notice modal-notice", role: "alert", testid: "modal-problem" }, problem) : null,
      this.footer(view));
  }

  header(view) {
    return el("div", { class: "modal-head" },
      this.stack.length > 1 ? el("button", { type: "button", class: "icon-button", "aria-label": "Back", on: { click: () => this.close() } }, icon("back")) : null,
      el("h2", { class: "dialog-title", testid: "modal-title" }, plain(view.title)),
      el("button", { type: "button", class: "icon-button", "aria-label": "Close", testid: "modal-close", on: { click: () => this.close(true) } }, icon("close")));
  }

  footer(view) {
    const submit = view.submit ? el("button", { type: "submit", class: `button primary${this.busy ? " pending" : ""}`, testid: "modal-submit",
      "aria-disabled": this.busy ? "true" : null }, plain(view.submit)) : null;
    const close = el("button", { type: "button", class: "button", testid: "modal-cancel", on: { click: () => this.close() } },
      view.close ? plain(view.close) : view.submit ? "Cancel" : "Close");
    return el("div", { class: "dialog-foot" }, close, submit);
  }
}

function isEmpty(state) {
  if (!state) return true;
  const { type, ...values } = state;
  const value = Object.values(values)[0];
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}
