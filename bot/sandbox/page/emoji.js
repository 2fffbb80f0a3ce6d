// The emoji shortcodes that this client draws; others stay as written.

const CODES = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", white_check_mark: "✅", heavy_check_mark: "✔️",
  ballot_box_with_check: "☑️", x: "❌", no_entry: "⛔", no_entry_sign: "🚫", warning: "⚠️", rotating_light: "🚨",
  fire: "🔥", mag: "🔍", mag_right: "🔎", red_circle: "🔴", large_yellow_circle: "🟡", yellow_circle: "🟡",
  white_circle: "⚪", large_green_circle: "🟢", green_circle: "🟢", large_blue_circle: "🔵", large_orange_circle: "🟠",
  black_circle: "⚫", double_vertical_bar: "⏸", pause_button: "⏸", arrow_forward: "▶", leftwards_arrow_with_hook: "↩",
  octagonal_sign: "🛑", stop_sign: "🛑", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", alarm_clock: "⏰",
  bell: "🔔", no_bell: "🔕", pager: "📟", robot_face: "🤖", wave: "👋", pray: "🙏", raised_hands: "🙌", tada: "🎉",
  rocket: "🚀", bug: "🐛", wrench: "🔧", hammer_and_wrench: "🛠️", gear: "⚙️", lock: "🔒", unlock: "🔓", key: "🔑",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", memo: "📝", bulb: "💡",
  information_source: "ℹ️", question: "❓", exclamation: "❗", heart: "❤️", thinking_face: "🤔", smile: "😄",
  slightly_smiling_face: "🙂", sweat_smile: "😅", point_right: "👉", point_up: "☝️", ok_hand: "👌", link: "🔗",
  clock3: "🕒", calendar: "📆", package: "📦", recycle: "♻️", zap: "⚡", snail: "🐌", skull: "💀", construction: "🚧",
  arrow_up: "⬆️", arrow_down: "⬇️", arrow_right: "➡️", arrow_left: "⬅️", repeat: "🔁", shield: "🛡️", sos: "🆘",
  busts_in_silhouette: "👥", bust_in_silhouette: "👤", speech_balloon: "💬", clipboard: "📋", page_facing_up: "📄",
};

/** The character of a shortcode, or null. */
export function emoji(name) {
  return Object.hasOwn(CODES, name) ? CODES[name] : null;
}

/** Replace known `:shortcodes:` in plain text. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+'-]{1,60}):/g, (all, name) => emoji(name) ?? all);
}

/** What the reaction picker offers. */
export const REACTIONS = ["+1", "eyes", "white_check_mark", "x", "pray", "heart", "thinking_face", "rotating_light"];
