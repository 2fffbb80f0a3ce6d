// Draws the blocks that only show something: header, section, context, divider, image, markdown.
import { el } from "../dom.js";
import { markdown } from "../markdown.js";
import { element } from "./elements.js";
import { imageAddress, picture, thumbnail } from "./image.js";
import { plain, textBox } from "./text.js";

export const header = (block) =>
  el("h3", { class: "block-header" }, plain(block.text));

export const divider = () => el("hr", { class: "block-divider" });

export function section(block, surface) {
  const body = el("div", { class: "section-body" });
  if (block.text) body.append(textBox("div", "text", block.text, surface.names));
  if (block.fields?.length) body.append(fields(block.fields, surface));
  const accessory = block.accessory ? el("div", { class: "accessory" }, element(block.accessory, block, surface)) : null;
  return el("div", { class: "block-section" }, body, accessory);
}

function fields(list, surface) {
  return el("div", { class: "fields" }, list.map((field) => textBox("div", "field text", field, surface.names)));
}

export function context(block, surface) {
  const items = (block.elements ?? []).map((item) =>
    item.type === "image" ? thumbnail(item, surface.names, "context-image") : textBox("div", "context-text text", item, surface.names));
  return el("div", { class: "block-context" }, items);
}

export function image(block, surface) {
  const size = { width: block.image_width, height: block.image_height };
  return el("figure", { class: "block-image" },
    block.title ? el("figcaption", { class: "image-title" }, plain(block.title)) : null,
    picture(imageAddress(block, surface.names), block.alt_text ?? "", "image", surface.names, size));
}

export const markdownBlock = (block, surface) => el("div", { class: "block-markdown" }, markdown(block.text, surface.names));
