// Draws images of this server (click to enlarge); others are named, not fetched.
import { el } from "../dom.js";
import { viewImage } from "../dialog.js";
import { hostOf, ownImage } from "../links.js";

/** The address of an image block or element: image_url or slack_file. */
export function imageAddress(block, names) {
  if (block.image_url) return block.image_url;
  const file = block.slack_file;
  return file ? file.url ?? names.fileUrl(file.id) : null;
}

/** A picture that opens large on click or Enter. */
export function picture(address, alt, className, names, size = {}) {
  const src = ownImage(address);
  if (!src) return missing(alt, `not loaded: it is on ${hostOf(address)}`);
  const image = el("img", { src, alt, class: className, loading: "lazy", width: size.width, height: size.height });
  image.addEventListener("error", () => button.replaceWith(missing(alt, "it could not be loaded")));
  const button = el("button", { type: "button", class: "picture", "aria-label": `Enlarge image: ${alt}`, on: { click: () => viewImage(src, alt) } }, image);
  return button;
}

/** A small picture in a context or beside a section. */
export function thumbnail(element, names, className) {
  const src = ownImage(imageAddress(element, names));
  if (!src) return el("span", { class: "missing-image small", title: element.alt_text }, element.alt_text || "image");
  return el("img", { src, alt: element.alt_text ?? "", class: className });
}

function missing(alt, why) {
  return el("div", { class: "missing-image", role: "img", "aria-label": alt }, `Image: ${alt || "no description"} (${why})`);
}
