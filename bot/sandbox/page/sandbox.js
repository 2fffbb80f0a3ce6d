// The panel that is not part of the chat: starts incidents, shows the sandbox's clock, reveals the truth when asked.
import { explain } from "./api.js";
import { el, fill, icon, uid } from "./dom.js";
import { PagerPanel } from "./pager.js";
import { clockSeconds } from "./time.js";

const ENVIRONMENTS = ["prod", "staging", "dev"];
const CLOCK_REFRESH_MS = 15000;
const TICK_MS = 1000;

export class SandboxPanel {
  /** `ask(text)` puts a question into the composer. */
  constructor({ api, store, ask }) {
    this.api = api;
    this.store = store;
    this.ask = ask;
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
        form, this.status, this.reveal, this.truth, new PagerPanel(this.api).node));
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
      this.incidents = incidentsOf(answer);
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
    const rate = Math.abs(clock.rate - 1) < 0.05 ? "" : ` · ${Math.round(clock.rate * 10) / 10}×`;
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
      this.started(body, await this.api.startIncident(body));
      await this.readClock();
    } catch (error) {
      this.status.textContent = explain(error);
    } finally {
      this.starting = false;
      this.startButton.removeAttribute("aria-disabled");
    }
  }

  // The answer holds the truth; only the question that a user would ask is shown of it.
  started(body, answer) {
    const question = questionOf(answer.question ?? "", body.environment);
    fill(this.status, `${body.incident} runs in ${body.environment} (seed ${body.seed}). ${question ? "Ask about it:" : "Ask @sre-bot about it."}`,
      question ? el("button", { type: "button", class: "button ask", testid: "incident-ask", on: { click: () => this.ask(question) } }, question) : null);
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

function questionOf(words, environment) {
  const bare = words.replace(/^@?sre-bot[,:]?\s*/i, "");
  return bare && `@sre-bot ${bare}${bare.includes(environment) ? "" : ` in ${environment}`}`;
}

function incidentsOf(answer) {
  const composed = answer.composed ? [{ name: answer.composed, summary: "Something at random, perhaps two things at once." }] : [];
  return [...(answer.incidents ?? []), ...composed];
}

function truthRows(answer) {
  const places = Object.entries(answer.truth ?? {});
  if (!places.length) return el("p", {}, "Nothing is broken on purpose right now.");
  return places.map(([environment, truth]) => el("dl", {}, row(["environment", environment]), Object.entries(truth).filter(isTold).map(row)));
}

const isTold = ([name, value]) => name !== "environment" && value !== null && value !== "" && !(Array.isArray(value) && !value.length);

const row = ([name, value]) => [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, words(value))];

function words(value) {
  if (Array.isArray(value)) return value.map(words).join("; ");
  if (value === null || typeof value !== "object") return String(value);
  return Object.values(value).map((each) => (isObject(each) ? pairs(each) : words(each))).join(" ");
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

const pairs = (object) =>
  Object.entries(object).map(([name, value]) => `${name}=${isObject(value) ? `{${pairs(value)}}` : words(value)}`).join(" ");
