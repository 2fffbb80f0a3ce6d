// App Home of the bot: asks for the current user's view and draws it.
import { explain } from "./api.js";
import { avatar } from "./avatar.js";
import { blocks } from "./blocks/index.js";
import { el, fill, icon, keepingFocus } from "./dom.js";
import { FormState } from "./form.js";
import { whenReleased } from "./steady.js";

export class HomePane {
  constructor(app) {
    this.app = app;
    this.view = null;
    this.form = null;
    this.title = el("h1", { class: "pane-title" });
    this.body = el("div", { class: "home-body", tabindex: 0, role: "region", "aria-label": "App Home" });
    const back = el("a", { class: "icon-button back", href: "#/menu", "aria-label": "Back to channels" }, icon("back"));
    this.head = el("div", { class: "pane-head" }, back, el("div", { class: "pane-names" }, this.title, el("span", { class: "topic" }, "App Home")));
    this.node = el("section", { class: "pane home", testid: "home-view" }, this.head, this.body);
  }

  /** Fetch the view of the current user (the server tells the bot that its home was opened). */
  async open() {
    const user = this.app.store.me.id;
    fill(this.title, avatar(null, true, "avatar small"), this.app.store.userName(this.app.store.botId, "sre-bot"));
    try {
      const { view } = await this.app.api.home(user);
      if (user === this.app.store.me.id && view) this.publish(view);
      else if (!this.view) this.say("The app has not published anything here yet.");
    } catch (error) {
      this.say(explain(error));
    }
  }

  reset() {
    this.view = null;
    this.form = null;
    this.say("Loading…");
  }

  publish(view) {
    this.view = view;
    this.draw();
  }

  draw() {
    whenReleased(this, () => this.redraw());
  }

  redraw() {
    if (!this.view) return;
    this.form = new FormState(this.form);
    const surface = {
      key: "home", names: this.app.store, interactions: this.app.interactions, form: this.form,
      container: { view_id: this.view.id },
    };
    const notice = this.app.interactions.notice("home");
    keepingFocus(this.body, () => fill(this.body, blocks(this.view.blocks, surface),
      notice ? el("div", { class: "notice", role: "alert" }, notice) : null));
  }

  say(words) {
    fill(this.body, el("p", { class: "empty" }, words));
  }
}
