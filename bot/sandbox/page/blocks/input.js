// Draws an input block: label, element, hint, and the error that a submission brought back.
import { el, uid } from "../dom.js";
import { element } from "./elements.js";
import { plain } from "./text.js";

export function input(block, surface) {
  const ids = { field: uid("field"), label: uid("label"), hint: uid("hint"), error: uid("error") };
  const error = surface.errors?.[block.block_id];
  const described = [block.hint ? ids.hint : "", error ? ids.error : ""].join(" ").trim();
  const labelling = {
    id: ids.field,
    "aria-labelledby": ids.label,
    "aria-describedby": described || null,
    "aria-invalid": error ? "true" : null,
    "aria-required": block.optional ? null : "true",
  };
  return el("div", { class: `block-input${error ? " invalid" : ""}` },
    el("label", { for: ids.field, id: ids.label, class: "input-label" }, plain(block.label), optionalMark(block)),
    element(block.element, block, { ...surface, labelling }),
    error ? el("div", { class: "field-error", id: ids.error, role: "alert", testid: `error-${block.block_id}` }, String(error)) : null,
    block.hint ? el("div", { class: "hint", id: ids.hint }, plain(block.hint)) : null);
}

const optionalMark = (block) => (block.optional ? el("span", { class: "hint" }, " (optional)") : null);
