// Draws the elements into which a person types: text, number, e-mail, link, date and time.
import { el } from "../dom.js";
import { plain } from "./text.js";

const HTML_TYPES = { plain_text_input: "text", number_input: "text", email_text_input: "email", url_text_input: "url" };

export function textInput(item, field) {
  const value = field.start({ value: item.initial_value || null }).value ?? "";
  const common = {
    class: "input", value, ...field.attributes,
    placeholder: item.placeholder ? plain(item.placeholder) : null,
    maxlength: item.max_length, autocomplete: "off",
    inputmode: item.type === "number_input" ? "decimal" : null,
    on: {
      input: (event) => field.keep({ value: event.target.value || null }),
      keydown: (event) => enter(event, item, field),
    },
  };
  if (item.multiline) return el("textarea", { rows: 4, ...common });
  return el("input", { type: HTML_TYPES[item.type] ?? "text", ...common });
}

// Enter in a one-line field tells the app when it asked for that; in a modal the form's own submit does it.
function enter(event, item, field) {
  if (event.key !== "Enter" || item.multiline || event.isComposing || !field.dispatches) return;
  event.preventDefault();
  field.change({ value: event.target.value || null });
}

export function datePicker(item, field) {
  const value = field.start({ selected_date: item.initial_date ?? null }).selected_date ?? "";
  return el("input", { type: "date", class: "input date", value, ...field.attributes,
    on: { change: (event) => field.change({ selected_date: event.target.value || null }) } });
}

export function timePicker(item, field) {
  const value = field.start({ selected_time: item.initial_time ?? null }).selected_time ?? "";
  return el("input", { type: "time", class: "input date", value, ...field.attributes,
    on: { change: (event) => field.change({ selected_time: event.target.value || null }) } });
}
