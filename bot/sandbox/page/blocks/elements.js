// Finds the drawing function of a Block Kit element, and binds those with a value to the surface's form.
import { el } from "../dom.js";
import { button, dispatch, overflow } from "./actions.js";
import { checkboxes, entitySelect, multiSelect, optionRows, radioButtons, staticSelect } from "./choices.js";
import { datePicker, textInput, timePicker } from "./fields.js";
import { thumbnail } from "./image.js";

const people = (names) => [...names.users.values()].map((user) => [user.id, names.userName(user.id)]);
const rooms = (names) => [...names.channels.values()].map((channel) => [channel.id, `#${channel.name}`]);
const rowsOf = (pairs) => pairs.map(([id, name]) => ({ key: id, value: id, name, label: name }));

const VALUED = {
  static_select: staticSelect,
  multi_static_select: (item, field) => multiSelect(item, field, optionRows(item), "selected_options", item.initial_options),
  users_select: (item, field, names) => entitySelect(item, field, people(names), "selected_user", item.initial_user),
  multi_users_select: (item, field, names) => multiSelect(item, field, rowsOf(people(names)), "selected_users", item.initial_users),
  channels_select: (item, field, names) => entitySelect(item, field, rooms(names), "selected_channel", item.initial_channel),
  conversations_select: (item, field, names) => entitySelect(item, field, rooms(names), "selected_conversation", item.initial_conversation),
  radio_buttons: radioButtons,
  checkboxes,
  datepicker: datePicker,
  timepicker: timePicker,
  plain_text_input: textInput,
  number_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
};

const SIMPLE = { button, overflow, image: (item, block, surface) => thumbnail(item, surface.names, "accessory-image") };

/** Draw one element of a block; unknown ones show a placeholder. */
export function element(item, block, surface) {
  const kind = item?.type;
  if (Object.hasOwn(SIMPLE, kind)) return SIMPLE[kind](item, block, surface);
  if (Object.hasOwn(VALUED, kind)) return VALUED[kind](item, bind(item, block, surface), surface.names);
  return unknown(kind, "element");
}

/** What stands in for something this client cannot draw. */
export function unknown(kind, what) {
  return el("div", { class: "unknown", role: "note" }, `This client cannot show a ${what} of type “${String(kind)}”.`);
}

// The element's tie to the form: its first state, keeping changes, and telling the app where it listens.
function bind(item, block, surface) {
  const inInput = block.type === "input";
  const dispatches = !inInput || block.dispatch_action === true;
  const keep = (state) => surface.form.set(block.block_id, item.action_id, { type: item.type, ...state });
  return {
    dispatches,
    name: `${surface.key}-${block.block_id}-${item.action_id}`,
    start: (initial) => surface.form.register(block.block_id, item.action_id, item.type, initial),
    keep,
    change: (state) => {
      keep(state);
      if (dispatches) dispatch(item, block, surface, state, `${item.action_id}|${JSON.stringify(state)}`);
    },
    attributes: {
      "data-testid": `action-${item.action_id}`,
      "aria-label": inInput ? null : item.accessibility_label ?? item.placeholder?.text ?? item.action_id,
      ...(surface.labelling ?? {}),
      autofocus: item.focus_on_load === true,
    },
  };
}
