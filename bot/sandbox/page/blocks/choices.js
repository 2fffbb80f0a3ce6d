// Draws the elements with which a person chooses: selects, radio buttons, checkboxes.
import { el, dropDown, uid } from "../dom.js";
import { plain, text } from "./text.js";

const groups = (item) => item.option_groups ?? [{ label: null, options: item.options ?? [] }];
const allOptions = (item) => groups(item).flatMap((group) => group.options ?? []);

/** A select of one option out of a list. `field` is the element's binding to its form (see elements.js). */
export function staticSelect(item, field) {
  const options = allOptions(item);
  const chosen = field.start({ selected_option: item.initial_option ?? null }).selected_option?.value;
  const node = select(item, field, (value) => ({ selected_option: options.find((option) => option.value === value) ?? null }));
  for (const group of groups(item)) {
    const rows = (group.options ?? []).map((option) => el("option", { value: option.value, selected: option.value === chosen }, plain(option.text)));
    node.append(...(group.label ? [el("optgroup", { label: plain(group.label) }, rows)] : rows));
  }
  return node;
}

/** A select of one person or channel; `kind` names the state field. */
export function entitySelect(item, field, rows, kind, initial) {
  const chosen = field.start({ [kind]: initial ?? null })[kind];
  const node = select(item, field, (value) => ({ [kind]: value || null }));
  node.append(...rows.map(([id, name]) => el("option", { value: id, selected: id === chosen }, name)));
  return node;
}

function select(item, field, read) {
  const change = (event) => field.change(read(event.target.value));
  const empty = el("option", { value: "" }, item.placeholder ? plain(item.placeholder) : "Choose…");
  return el("select", { class: "select", ...field.attributes, on: { change } }, empty);
}

/** Several options: a disclosure with checkboxes, which works the same with mouse, touch and keyboard. */
export function multiSelect(item, field, rows, kind, initial) {
  const chosen = new Map((field.start({ [kind]: initial ?? [] })[kind] ?? []).map((value) => [rowKey(value), value]));
  const caption = () => (chosen.size ? rows.filter((row) => chosen.has(row.key)).map((row) => row.name).join(", ") : placeholder(item));
  const summary = el("summary", { class: "select multi", ...field.attributes }, caption());
  const toggle = (row, on) => {
    if (on) chosen.set(row.key, row.value);
    else chosen.delete(row.key);
    summary.textContent = caption();
    field.change({ [kind]: [...chosen.values()] });
  };
  const full = () => item.max_selected_items && chosen.size >= item.max_selected_items;
  const list = rows.map((row) => tick("checkbox", field.name, row, chosen.has(row.key), (event) => {
    if (event.target.checked && full()) event.target.checked = false;
    else toggle(row, event.target.checked);
  }));
  const menu = el("div", { class: "multi-list", role: "group", "aria-label": placeholder(item) }, list);
  return dropDown(el("details", { class: "multi-box" }, summary, menu));
}

const placeholder = (item) => (item.placeholder ? plain(item.placeholder) : "Choose…");
const rowKey = (value) => (typeof value === "string" ? value : value.value);

/** Rows of a multi_static_select. */
export const optionRows = (item) =>
  allOptions(item).map((option) => ({ key: option.value, value: option, name: plain(option.text), label: plain(option.text) }));

export function radioButtons(item, field, names) {
  const chosen = field.start({ selected_option: item.initial_option ?? null }).selected_option?.value;
  const rows = (item.options ?? []).map((option) => tick("radio", field.name, optionRow(option, names), option.value === chosen,
    () => field.change({ selected_option: option })));
  return el("div", { class: "choices", role: "radiogroup", ...field.attributes }, rows);
}

export function checkboxes(item, field, names) {
  const chosen = new Set((field.start({ selected_options: item.initial_options ?? [] }).selected_options ?? []).map((option) => option.value));
  const change = (option, on) => {
    if (on) chosen.add(option.value);
    else chosen.delete(option.value);
    field.change({ selected_options: item.options.filter((each) => chosen.has(each.value)) });
  };
  const rows = (item.options ?? []).map((option) => tick("checkbox", field.name, optionRow(option, names), chosen.has(option.value),
    (event) => change(option, event.target.checked)));
  return el("div", { class: "choices", role: "group", ...field.attributes }, rows);
}

const optionRow = (option, names) => ({
  key: option.value,
  label: text(option.text, names),
  description: option.description ? text(option.description, names) : null,
});

function tick(type, name, row, checked, change) {
  const id = uid("tick");
  return el("label", { class: "tick", for: id },
    el("input", { type, id, name, value: row.key, checked, testid: `option-${row.key}`, on: { change } }),
    el("span", { class: "tick-text" }, row.label, row.description ? el("span", { class: "hint" }, row.description) : null));
}
