// Builds DOM nodes. Data only ever becomes text nodes or attributes, never markup.

const PROPERTIES = new Set(["value", "checked", "selected", "disabled", "open", "hidden", "indeterminate"]);
const SVG = "http://www.w3.org/2000/svg";

/** Make an element. `on` maps event names to listeners, `data` fills data-*; children may be strings, nodes or lists. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(node, name, value);
  append(node, children);
  return node;
}

function setProp(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name === "class") node.className = value;
  else if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
  else if (name === "data") for (const [key, item] of Object.entries(value)) setData(node, key, item);
  else if (name === "testid") node.dataset.testid = value;
  else if (PROPERTIES.has(name)) node[name] = value;
  else node.setAttribute(name, value === true ? "" : String(value));
}

function setData(node, key, value) {
  if (value !== undefined && value !== null) node.dataset[key] = value;
}

/** Append children: strings become text nodes, lists are flattened, empty values skipped. */
export function append(node, children) {
  for (const child of [children].flat(Infinity)) {
    if (child === undefined || child === null || child === false || child === "") continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

/** Replace all children of `node`. */
export function fill(node, ...children) {
  node.replaceChildren();
  return append(node, children);
}

const ICONS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-6 16-3-7z",
  reply: "M20 11.5a7.5 7.5 0 0 1-11 6.6L4 20l1.6-4.6A7.5 7.5 0 1 1 20 11.5z",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14.5c1.8 2.4 5.2 2.4 7 0M9 9.5v.5M15 9.5v.5",
  hash: "M9 4L7 20M17 4l-2 16M4 9h16M4 15h16",
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  down: "M6 9l6 6 6-6",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7-10-7-10-7zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  pulse: "M3 12.5h4l3-7.5 4 14 3-6.5h4",
  flask: "M9 3h6M10 3v6l-5.5 9.5A1.7 1.7 0 0 0 6 21h12a1.7 1.7 0 0 0 1.5-2.5L14 9V3",
};

/** A decorative line icon (hidden from assistive technology). */
export function icon(name, className = "icon") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", className);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** Run `change`; controls that it replaced by new ones get focus, caret and open menus back. */
export function keepingFocus(root, change) {
  const opened = [...root.querySelectorAll("details[open] > summary")].filter((summary) => focusKey(summary));
  keepingActive(root, () => {
    change();
    opened.filter((summary) => !summary.isConnected).forEach((summary) => reopen(root, summary));
  });
}

function reopen(root, summary) {
  const again = root.querySelector(focusKey(summary));
  if (again) again.parentElement.open = true;
}

function keepingActive(root, change) {
  const active = document.activeElement;
  const inside = active && root.contains(active) && active !== root;
  const key = inside ? focusKey(active) : null;
  const selection = inside ? caret(active) : null;
  change();
  if (!key || active.isConnected) return;
  const again = root.querySelector(key);
  if (!again) return;
  again.focus({ preventScroll: true });
  if (selection) again.setSelectionRange(selection[0], selection[1]);
}

function focusKey(node) {
  if (node.name && node.type !== "text") return `[name="${CSS.escape(node.name)}"][value="${CSS.escape(node.value)}"]`;
  if (node.dataset.testid) return `[data-testid="${CSS.escape(node.dataset.testid)}"]`;
  return node.id ? `#${CSS.escape(node.id)}` : null;
}

function caret(node) {
  const textual = node.tagName === "TEXTAREA" || (node.tagName === "INPUT" && node.type === "text");
  return textual ? [node.selectionStart, node.selectionEnd] : null;
}

/** Make a <details> a drop-down: shown in full when opened; Escape, or going elsewhere, closes it. */
export function dropDown(details) {
  details.classList.add("drop");
  details.addEventListener("toggle", () => {
    if (details.open) details.lastElementChild.scrollIntoView({ block: "nearest" });
  });
  details.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !details.contains(event.relatedTarget)) details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.preventDefault();
    event.stopPropagation();
    details.open = false;
    details.firstElementChild.focus();
  });
  return details;
}

/** A click elsewhere closes the menus that are open. */
export function closeMenusOnOutsideClick() {
  document.addEventListener("pointerdown", (event) => {
    for (const menu of document.querySelectorAll("details.drop[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
}

let serial = 0;
/** A document-unique id for label/description wiring. */
export function uid(prefix) {
  serial += 1;
  return `${prefix}-${serial}`;
}

/** Say something to screen readers, politely. */
export function announce(text) {
  const region = document.getElementById("announcer");
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, 30);
}
