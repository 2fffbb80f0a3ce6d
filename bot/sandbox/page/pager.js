// A hand in the make-believe PagerDuty: page somebody, and do what a person would do there. Reads only while it is open.
import { explain } from "./api.js";
import { el, fill, uid } from "./dom.js";
import { whenReleased } from "./steady.js";

const REFRESH_MS = 3000;
const DEEDS = [
  ["acknowledge", "Acknowledge"], ["resolve", "Resolve"], ["escalate:2", "Escalate to level 2"], ["priority:PRIO0P1", "Set P1"],
  ["priority:PRIO0P3", "Set P3"], ["urgency:high", "Make it urgent"], ["note:Looking at it", "Note: Looking at it"], ["reopen", "Reopen"],
];

export class PagerPanel {
  constructor(api) {
    this.api = api;
    this.service = labelled("Service", el("select", { class: "select", testid: "pager-service" }));
    this.urgency = labelled("Urgency", el("select", { class: "select", testid: "pager-urgency" },
      ["high", "low"].map((name) => el("option", { value: name }, name))));
    this.title = labelled("Title", el("input", { class: "input", maxlength: 200, value: "Something is wrong", testid: "pager-title" }));
    this.person = labelled("As", el("select", { class: "select", testid: "pager-person" }));
    this.status = el("p", { class: "sandbox-status", role: "status", testid: "pager-status" });
    this.list = el("div", { class: "sandbox-form", testid: "pager-list" });
    const form = el("form", { class: "sandbox-form", on: { submit: (event) => { event.preventDefault(); this.page(); } } },
      this.service.node, this.title.node, this.urgency.node, el("button", { type: "submit", class: "button", testid: "pager-open" }, "Page who is on call"));
    this.node = el("details", { testid: "pager", on: { toggle: () => this.toggled() } },
      el("summary", { class: "sandbox-summary" }, "PagerDuty"), form, this.status, this.person.node, this.list);
    this.shown = "";
  }

  toggled() {
    clearInterval(this.timer);
    if (!this.node.open) return;
    this.timer = setInterval(() => this.read(), REFRESH_MS);
    this.read();
  }

  async page() {
    const body = { do: "open", service: this.service.input.value, title: this.title.input.value, urgency: this.urgency.input.value };
    await this.ask(() => this.api.pagerDo(body), "Paged.");
  }

  async deed(incident, chosen) {
    const [verb, value] = chosen.split(":");
    await this.ask(() => this.api.pagerDo({ do: verb, incident, value: value ?? "", by: this.person.input.value }), "Done.");
  }

  async read() {
    await this.ask(() => this.api.pager(), null);
  }

  async ask(call, words) {
    try {
      this.show(await call());
      if (words !== null) this.status.textContent = words;
    } catch (error) {
      this.status.textContent = error.body?.error?.errors?.join("; ") ?? explain(error);
    }
  }

  // What did not change is left alone, so that an open select stays open.
  show(state) {
    if (!this.service.input.options.length) {
      fill(this.service.input, state.services.map((each) => el("option", { value: each.id }, each.name)));
      fill(this.person.input, state.users.map((each) => el("option", { value: each.id }, each.name)));
    }
    const shown = JSON.stringify(state.incidents.map((each) => [each.id, each.updated_at, each.status, each.urgency, each.notes.length]));
    if (shown === this.shown) return;
    this.shown = shown;
    whenReleased(this, () => fill(this.list, [...state.incidents].reverse().slice(0, 8).map((each) => this.row(each))));
  }

  row(incident) {
    const words = [`#${incident.incident_number} ${incident.title}`, incident.status, incident.priority?.summary, `${incident.urgency} urgency`,
      incident.assignments.map((each) => each.assignee.summary).join(", ")].filter(Boolean).join(" · ");
    const choice = el("select", { class: "select", "aria-label": `What to do with #${incident.incident_number}`, testid: "pager-deed" },
      DEEDS.map(([value, name]) => el("option", { value }, name)));
    const notes = incident.notes.slice(-2).map((note) => el("p", { class: "hint" }, `${note.user.summary}: ${note.content.slice(0, 300)}`));
    return el("div", { class: "sandbox-form", testid: "pager-page" }, el("p", {}, words), ...notes,
      el("div", { class: "sandbox-pair" }, choice, el("button", { type: "button", class: "button", testid: "pager-do", on: { click: () => this.deed(incident.id, choice.value) } }, "Do")));
  }
}

function labelled(words, input) {
  input.id = uid("pager");
  return { input, node: el("label", { class: "sandbox-field", for: input.id }, el("span", {}, words), input) };
}
