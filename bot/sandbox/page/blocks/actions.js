// Draws buttons and overflow menus; asks for confirmation first where the app wants it.
import { confirmDialog } from "../dialog.js";
import { el, icon, dropDown } from "../dom.js";
import { followable } from "../links.js";
import { plain, text } from "./text.js";

/** The actions block: its elements in a row. */
export function actions(block, surface, element) {
  return el("div", { class: "block-actions", role: "group" }, (block.elements ?? []).map((item) => element(item, block, surface)));
}

/** Ask when the element wants a confirmation, then tell the app. Resolves false when the person said no. */
export async function dispatch(item, block, surface, details, controlKey = key(item, details)) {
  if (surface.interactions.isPending(surface, controlKey)) return false;
  if (item.confirm && !(await confirmDialog(item.confirm, (object) => text(object, surface.names)))) return false;
  const common = { block_id: block.block_id, action_id: item.action_id, type: item.type };
  await surface.interactions.act(surface, controlKey, { ...common, ...details });
  return true;
}

const key = (item, details) => `${item.action_id}|${details.value ?? ""}`;

export function button(item, block, surface) {
  const label = plain(item.text);
  const details = item.value === undefined ? {} : { value: item.value };
  const pending = surface.interactions.isPending(surface, key(item, details));
  const common = {
    class: `button ${item.style === "primary" || item.style === "danger" ? item.style : ""}${pending ? " pending" : ""}`,
    testid: `action-${item.action_id}`,
    "aria-label": item.accessibility_label,
    "aria-disabled": pending ? "true" : null,
    "aria-busy": pending ? "true" : null,
  };
  const click = () => dispatch(item, block, surface, details);
  const target = item.url ? followable(item.url) : null;
  if (!target) return el("button", { type: "button", ...common, on: { click } }, label);
  const outside = target.inside ? {} : { target: "_blank", rel: "noopener noreferrer" };
  return el("a", { href: target.href, ...outside, ...common, on: { click } }, label);
}

export function overflow(item, block, surface) {
  const menu = el("div", { class: "menu", role: "menu" }, (item.options ?? []).map((option, index) =>
    overflowOption(item, block, surface, option, index, () => box.removeAttribute("open"))));
  const summary = el("summary", { class: "button overflow", "aria-label": "More actions", testid: `action-${item.action_id}` }, icon("more"));
  const box = dropDown(el("details", { class: "overflow-box" }, summary, menu));
  return box;
}

function overflowOption(item, block, surface, option, index, close) {
  const click = () => { close(); dispatch(item, block, surface, { selected_option: option }); };
  return el("button", { type: "button", role: "menuitem", class: "menu-item", testid: `action-${item.action_id}-${index}`, on: { click } },
    plain(option.text),
    option.description ? el("span", { class: "hint" }, plain(option.description)) : null);
}
