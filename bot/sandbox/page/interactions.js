// Sends clicks and choices to the app, one at a time per control, and remembers what is pending or failed.
import { ApiError, explain } from "./api.js";

export class Interactions {
  /** `onChange(surfaceKey)` is called when a surface must be drawn again. */
  constructor({ api, store, onChange }) {
    this.api = api;
    this.store = store;
    this.onChange = onChange;
    this.pending = new Map(); // surface key → set of control keys
    this.notices = new Map(); // surface key → text
  }

  isPending(surface, controlKey) {
    return this.pending.get(surface.key)?.has(controlKey) ?? false;
  }

  notice(surfaceKey) {
    return this.notices.get(surfaceKey) ?? "";
  }

  /** What of this bookkeeping is drawn on the surface (to see whether a redraw is needed). */
  mark(surfaceKey) {
    return [...(this.pending.get(surfaceKey) ?? []), this.notice(surfaceKey)].join("|");
  }

  /** Send one block action; `details` are value, selected_option and the like. */
  async act(surface, controlKey, details) {
    if (this.isPending(surface, controlKey)) return;
    this.begin(surface.key, controlKey);
    let problem = "";
    try {
      const answer = await this.api.action({ user: this.store.me.id, ...surface.container, ...details });
      if (answer.acked === false) problem = explain(notAcked());
    } catch (error) {
      problem = explain(error);
    }
    this.end(surface.key, controlKey, problem);
  }

  begin(key, controlKey) {
    if (!this.pending.has(key)) this.pending.set(key, new Set());
    this.pending.get(key).add(controlKey);
    this.notices.delete(key);
    this.onChange(key);
  }

  end(key, controlKey, problem) {
    this.pending.get(key)?.delete(controlKey);
    if (problem) this.notices.set(key, problem);
    this.onChange(key);
  }

  clear() {
    this.pending.clear();
    this.notices.clear();
  }
}

const notAcked = () => new ApiError("not_acknowledged");
