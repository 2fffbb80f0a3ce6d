// Modal <dialog>s: focus stays inside, Esc closes, focus returns to where it was; confirm and image viewer.
import { append, el, icon, uid } from "./dom.js";

const FOCUSABLE = "a[href],button,input,select,textarea,summary,[tabindex]:not([tabindex='-1'])";

/** Open a modal dialog. `onEscape` is asked instead of closing right away. Returns {node, close}. */
export function openDialog({ label, className, testid, role, onEscape }, ...children) {
  const before = document.activeElement;
  const node = append(el("dialog", { class: `dialog ${className ?? ""}`, "aria-label": label, testid, role }), children);
  const close = () => {
    if (!node.isConnected) return;
    node.close();
    node.remove();
    returnFocus(before);
  };
  node.addEventListener("keydown", (event) => onKey(event, node, onEscape ?? close));
  node.addEventListener("cancel", (event) => event.preventDefault());
  document.body.append(node);
  node.showModal();
  return { node, close };
}

function returnFocus(before) {
  const key = before?.dataset?.testid;
  const again = before?.isConnected ? before : key && document.querySelector(`[data-testid="${CSS.escape(key)}"]`);
  (again || document.querySelector("#composer-text"))?.focus({ preventScroll: true });
}

function onKey(event, node, onEscape) {
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    onEscape();
  } else if (event.key === "Tab") {
    wrapTab(event, node);
  }
}

function wrapTab(event, node) {
  const stops = [...node.querySelectorAll(FOCUSABLE)].filter((item) => !item.disabled && item.getClientRects().length);
  if (!stops.length) return;
  const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
  if (document.activeElement !== edge && node.contains(document.activeElement) && document.activeElement !== node) return;
  event.preventDefault();
  (event.shiftKey ? stops[stops.length - 1] : stops[0]).focus();
}

/** Slack's confirm object as a dialog; resolves true when confirmed. */
export function confirmDialog(confirm, drawText) {
  return new Promise((resolve) => {
    const textId = uid("confirm");
    const answer = (yes) => { dialog.close(); resolve(yes); };
    const danger = confirm.style === "danger" ? "danger" : "primary";
    const ok = el("button", { type: "button", class: `button ${danger}`, testid: "confirm-ok", on: { click: () => answer(true) } },
      confirm.confirm?.text ?? "Yes");
    const no = el("button", { type: "button", class: "button", testid: "confirm-cancel", on: { click: () => answer(false) } },
      confirm.deny?.text ?? "Cancel");
    const dialog = openDialog(
      { label: confirm.title?.text ?? "Are you sure?", className: "confirm", testid: "confirm", role: "alertdialog", onEscape: () => answer(false) },
      el("h2", { class: "dialog-title" }, confirm.title?.text ?? "Are you sure?"),
      el("div", { class: "dialog-body", id: textId }, drawText(confirm.text)),
      el("div", { class: "dialog-foot" }, no, ok),
    );
    dialog.node.setAttribute("aria-describedby", textId);
    no.focus();
  });
}

/** Show an image large. */
export function viewImage(src, alt) {
  const shut = el("button", { type: "button", class: "icon-button", "aria-label": "Close image", testid: "viewer-close" }, icon("close"));
  const dialog = openDialog({ label: alt || "Image", className: "viewer", testid: "viewer" },
    el("div", { class: "viewer-bar" }, el("span", { class: "viewer-name" }, alt), shut),
    el("div", { class: "viewer-scroll", tabindex: 0 }, el("img", { src, alt })));
  shut.addEventListener("click", dialog.close);
  dialog.node.addEventListener("click", (event) => { if (event.target === dialog.node) dialog.close(); });
}

/** A notice at the bottom of the screen that goes away by itself. */
export function toast(text, ms = 5000) {
  const node = el("div", { class: "toast", role: "status" }, text);
  document.querySelectorAll(".toast").forEach((old) => old.remove());
  document.body.append(node);
  setTimeout(() => node.remove(), ms);
}
