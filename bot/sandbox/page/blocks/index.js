// Finds the drawing function of a block; what cannot be drawn shows a placeholder and never breaks the page.
import { el } from "../dom.js";
import { actions } from "./actions.js";
import { element, unknown } from "./elements.js";
import { input } from "./input.js";
import { context, divider, header, image, markdownBlock, section } from "./layout.js";
import { richText } from "./richtext.js";

const BLOCKS = {
  header, section, context, divider, image, input,
  actions: (block, surface) => actions(block, surface, element),
  markdown: markdownBlock,
  rich_text: richText,
};

/**
 * Draw blocks on a surface: {key, names, form, interactions, container, errors}.
 * `container` is what the app is told about where it happened: {channel, message_ts} or {view_id}.
 */
export function blocks(list, surface) {
  return el("div", { class: "blocks" }, (Array.isArray(list) ? list : []).map((block) => draw(block, surface)));
}

function draw(block, surface) {
  if (!Object.hasOwn(BLOCKS, block?.type)) return unknown(block?.type, "block");
  try {
    return el("div", { class: `block block-${block.type}-box`, data: { blockId: block.block_id } }, BLOCKS[block.type](block, surface));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return unknown(`${block.type}, malformed`, "block"); // a field is missing or of another type
  }
}
