// The panel that is not part of the chat: starts incidents, shows the sandbox's clock, reveals the truth when asked.
import { explain } from "./api.js";
import { el, fill, icon, uid } from "./dom.js";
import { clockSeconds } from "./time.js";

const ENVIRONMENTS = ["prod", "staging", "dev"];
const CLOCK_REFRESH_MS = 15000;
const TICK_MS = 1000;

export class SandboxPanel {
  constructor({ api, store }) {
    this.api = api;
    this.store = store;
    this.incident = this.labelled("Incident", el("select", { class: "select", testid: "incident-select" }));
    this.environment = this.labelled("Environment", el("select", { class: "select", testid: "incident-environment" },
      ENVIRONMENTS.map((name) => el("option", { value: name }, name))));
    this.seed = this.labelled("Seed", el("input", { class: "input", type: "number", min: 0, step: 1, value: "1", testid: "incident-seed" }));
    this.startButton = el("button", { type: "submit", class: "button primary", testid: "incident-start" }, "Start incident");
    this.summary = el("p", { class: "hint" });
    this.status = el("p", { class: "sandbox-status", role: "status", testid: "incident-status" });
    this.clock = el("span", { class: "sandbox-clock", title: "The sandbox's clock, and how much faster it runs than yours", testid: "sandbox-clock" });
    this.truth = el("div", { class: "truth", "aria-live": "polite", testid: "truth" });
    this.reveal = el("button", { type: "button", class: "button", testid: "reveal", on: { click: () => this.showTruth() } }, icon("eye"), "Reveal the true cause");
    this.node = this.build();
    this.incidents = [];
    this.incident.select.addEventListener("change", () => this.describe());
  }

  labelled(words, control) {
    control.id = uid("sandbox");
    return { select: control, node: el("label", { class: "sandbox-field", for: control.id }, el("span", {}, words), control) };
  }

  build() {
    const form = el("form", { class: "sandbox-form", on: { submit: (event) => { event.preventDefault(); this.start(); } } },
      this.incident.node, this.summary, el("div", { class: "sandbox-pair" }, this.environment.node, this.seed.node), this.startButton);
    return el("details", { class: "sandbox", open: window.matchMedia("(min-height: 700px)").matches, testid: "sandbox" },
      el("summary", { class: "sandbox-summary" }, icon("flask"), el("span", {}, "Sandbox"), this.clock),
      el("div", { class: "sandbox-inner" },
        el("p", { class: "hint" }, "Not part of the chat: break the make-believe company, then ask the bot about it."),
        form, this.status, this.reveal, this.truth));
  }

  /** Fetch the incidents and the clock, and keep the clock ticking. */
  async open() {
    setInterval(() => this.tick(), TICK_MS);
    setInterval(() => this.readClock(), CLOCK_REFRESH_MS);
    await this.readIncidents();
    await this.readClock();
  }

  /** After a lost connection: read again what may have changed. */
  async reload() {
    if (!this.incidents.length && !this.node.hidden) await this.readIncidents();
    await this.readClock();
  }

  async readIncidents() {
    try {
      const answer = await this.api.incidents();
      this.incidents = (Array.isArray(answer) ? answer : answer.incidents ?? []).map(normal);
      fill(this.incident.select, this.incidents.map((each) => el("option", { value: each.name }, each.name)));
      this.describe();
    } catch (error) {
      this.node.hidden = error.code === "http_404"; // a workspace without a world: nothing to start
      this.status.textContent = `Incidents: ${explain(error)}`;
    }
  }

  describe() {
    const chosen = this.incidents.find((each) => each.name === this.incident.select.value);
    this.summary.textContent = chosen?.summary ?? "";
    this.summary.hidden = !this.summary.textContent;
  }

  async readClock() {
    if (this.node.hidden) return;
    try {
      const answer = await this.api.clock();
      const now = typeof answer.now === "number" ? answer.now : Date.parse(answer.now) / 1000;
      if (Number.isFinite(now)) this.store.setClock(now, Number(answer.rate) || 1);
      this.tick();
    } catch (error) {
      this.clock.textContent = "";
      explain(error);
    }
  }

  tick() {
    const { clock, tz } = this.store;
    if (!clock) return;
    const rate = clock.rate === 1 ? "" : ` · ${clock.rate}×`;
    this.clock.textContent = `${clockSeconds(this.store.now(), tz)}${rate}`;
  }

  async start() {
    const body = { incident: this.incident.select.value, seed: Number(this.seed.select.value) || 0, environment: this.environment.select.value };
    if (!body.incident || this.starting) return;
    this.starting = true;
    this.startButton.setAttribute("aria-disabled", "true");
    fill(this.truth);
    this.status.textContent = "Starting…";
    try {
      await this.api.startIncident(body);
      this.status.textContent = `${body.incident} runs in ${body.environment} (seed ${body.seed}). Ask @sre-bot about it in a channel.`;
      await this.readClock();
    } catch (error) {
      this.status.textContent = explain(error);
    } finally {
      this.starting = false;
      this.startButton.removeAttribute("aria-disabled");
    }
  }

  async showTruth() {
    try {
      const answer = await this.api.truth();
      fill(this.truth, truthRows(answer));
    } catch (error) {
      fill(this.truth, el("p", {}, explain(error)));
    }
  }
}

const normal = (each) => (typeof each === "string" ? { name: each, summary: "" } : { name: each.name ?? each.incident, summary: each.summary ?? each.description ?? "" });

function truthRows(answer) {
  const { ok, truth, incidents, ...rest } = answer;
  const found = truth ?? incidents ?? (Array.isArray(answer) ? answer : rest);
  const list = (Array.isArray(found) ? found : [found]).filter((each) => each && Object.keys(each).length);
  if (!list.length) return el("p", {}, "Nothing is broken on purpose right now.");
  return list.map((each) => el("dl", {}, Object.entries(each).flatMap(([name, value]) =>
    [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, typeof value === "object" ? JSON.stringify(value) : String(value))])));
}
