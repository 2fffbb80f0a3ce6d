// Decides what a link or an image address may do here: open, stay inside the client, or be shown as text only.

const FILES = "/slack/files/";
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

function parse(url) {
  try {
    return new URL(url, location.origin);
  } catch {
    return null;
  }
}

const isOurs = (url) => url.host === location.host || (LOOPBACK.has(url.hostname) && url.port === location.port);

/** {href, inside} for an address that may be followed, else null (javascript:, data:, file: and the like). */
export function followable(address) {
  const url = parse(address);
  if (!url || !/^[a-z][a-z0-9+.-]*:/i.test(address)) return null;
  if (!["http:", "https:", "mailto:"].includes(url.protocol)) return null;
  const route = isOurs(url) ? insideRoute(url) : null;
  return route ? { href: route, inside: true } : { href: url.href, inside: false };
}

function insideRoute(url) {
  if (url.pathname === "/" && url.hash.startsWith("#/")) return url.hash;
  const archive = url.pathname.match(/^\/archives\/([A-Z0-9]+)(?:\/p(\d{10})(\d{6}))?$/);
  if (!archive) return null;
  const [, channel, seconds, micros] = archive;
  if (!seconds) return `#/${channel}`;
  const ts = `${seconds}.${micros}`;
  const thread = url.searchParams.get("thread_ts");
  return thread && thread !== ts ? `#/${channel}/${thread}/${ts}` : `#/${channel}/${ts}`;
}

/** The address of a file in this very workspace, or null: data never makes this page ask for anything else. */
export function ownImage(address) {
  const url = parse(address ?? "");
  if (!address || !url || !isOurs(url) || !url.pathname.startsWith(FILES)) return null;
  return url.pathname + url.search;
}

/** The host of an address, for telling a person where an image would have come from. */
export function hostOf(address) {
  return parse(address ?? "")?.host || "an unknown place";
}
