// Reads and writes the address after '#': channel, thread, App Home, or the menu of a phone.

/** {page: "menu" | "home" | "channel", channel, thread, target} */
export function parseRoute(hash) {
  const [first, second, third] = hash.replace(/^#\/?/, "").split("/").map(safeDecode);
  if (first === "menu" || first === "home") return { page: first, channel: null, thread: null, target: null };
  const isTs = (text) => /^\d{1,12}\.\d{1,9}$/.test(text ?? "");
  const thread = isTs(second) ? second : null;
  return { page: "channel", channel: first || null, thread, target: isTs(third) ? third : thread };
}

function safeDecode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

export const channelRoute = (channel) => `#/${channel}`;
export const threadRoute = (channel, ts) => `#/${channel}/${ts}`;

/** The permalink of a message. */
export function messageRoute(channel, message) {
  const reply = message.thread_ts && message.thread_ts !== message.ts;
  return reply ? `#/${channel}/${message.thread_ts}/${message.ts}` : threadRoute(channel, message.ts);
}

/** Go to a route, adding to the browser's history. */
export function go(route) {
  if (location.hash !== route) location.hash = route;
}
