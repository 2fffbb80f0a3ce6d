// Writes times in the viewer's zone, the way Slack's date tokens ask.

const formatters = new Map();

function format(tz, name, options) {
  const key = `${tz}|${name}`;
  if (!formatters.has(key)) formatters.set(key, build(tz, options));
  return formatters.get(key);
}

function build(tz, options) {
  try {
    return new Intl.DateTimeFormat("en-GB", { timeZone: tz, ...options });
  } catch {
    return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
  }
}

const dateOf = (seconds) => new Date(Number(seconds) * 1000);

/** "14:03" */
export function clockTime(seconds, tz) {
  return format(tz, "time", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(dateOf(seconds));
}

/** "14:03:09" */
export function clockSeconds(seconds, tz) {
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  return format(tz, "secs", options).format(dateOf(seconds));
}

/** "2026-11-21", the key by which days are told apart. */
export function dayKey(seconds, tz) {
  const parts = format(tz, "day", { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(dateOf(seconds));
  const get = (type) => parts.find((part) => part.type === type).value;
  return `${get("year")}-${get("month")}-${get("day")}`;
}

/** "Today", "Yesterday", or "Saturday 21 November 2026". */
export function dayName(seconds, tz, now) {
  const pretty = nearDay(seconds, tz, now);
  if (pretty) return pretty;
  const options = { weekday: "long", day: "numeric", month: "long", year: "numeric" };
  return format(tz, "dayname", options).format(dateOf(seconds));
}

function nearDay(seconds, tz, now) {
  const key = dayKey(seconds, tz);
  if (key === dayKey(now, tz)) return "Today";
  if (key === dayKey(now - 86400, tz)) return "Yesterday";
  if (key === dayKey(now + 86400, tz)) return "Tomorrow";
  return "";
}

/** Full date and time with the zone, for titles. */
export function fullTime(seconds, tz) {
  const options = { dateStyle: "full", timeStyle: "long" };
  return format(tz, "full", options).format(dateOf(seconds));
}

/** "3 minutes ago" relative to `now` (seconds). */
export function ago(seconds, now) {
  const gap = Number(seconds) - now;
  const size = Math.abs(gap);
  const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
  const [unit, length] = units.find(([, long]) => size >= long) ?? units[3];
  return new Intl.RelativeTimeFormat("en", { numeric: "auto" }).format(Math.trunc(gap / length), unit);
}

const monthDay = (options) => (seconds, tz) => format(tz, JSON.stringify(options), options).format(dateOf(seconds));
const long = monthDay({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const plain = monthDay({ day: "numeric", month: "long", year: "numeric" });
const short = monthDay({ day: "numeric", month: "short", year: "numeric" });
const pretty = (write) => (seconds, tz, now) => nearDay(seconds, tz, now).toLowerCase() || write(seconds, tz);

const TOKENS = {
  date_num: dayKey,
  date_slash: (seconds, tz) => dayKey(seconds, tz).replaceAll("-", "/"),
  date: plain,
  date_short: short,
  date_long: long,
  date_pretty: pretty(plain),
  date_short_pretty: pretty(short),
  date_long_pretty: pretty(long),
  time: clockTime,
  time_secs: clockSeconds,
  ago: (seconds, tz, now) => ago(seconds, now),
};

/** Fill Slack's `{date_short} at {time}` format; unknown tokens stay as they are. */
export function slackDate(seconds, pattern, tz, now) {
  return pattern.replace(/\{(\w+)\}/g, (all, name) => (TOKENS[name] ? TOKENS[name](seconds, tz, now) : all));
}
