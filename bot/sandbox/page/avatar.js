// Draws who somebody is: a coloured square with initials, or the bot's mark.
import { el, icon } from "./dom.js";

const COLOURS = 6;

export function avatar(user, isBot, className = "avatar") {
  if (isBot) return el("span", { class: `${className} bot`, "aria-hidden": "true" }, icon("pulse"));
  const name = user?.real_name || user?.name || "?";
  const initials = name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
  return el("span", { class: `${className} colour-${colour(user?.id ?? name)}`, "aria-hidden": "true" }, initials);
}

const colour = (key) => [...key].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % COLOURS;
