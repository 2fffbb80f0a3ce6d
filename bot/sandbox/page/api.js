// Talks to the sandbox's /client and /control endpoints; every failure becomes an ApiError.

/** A refused or failed call; `code` is Slack's error name, or "network" / "http_<status>". */
export class ApiError extends Error {
  constructor(code, body = null) {
    super(code);
    this.name = "ApiError";
    this.code = code;
    this.body = body;
  }
}

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
  } catch {
    throw new ApiError("network");
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(body?.error ?? `http_${response.status}`, body);
  if (body === null) throw new ApiError("bad_answer");
  if (body.ok === false) throw new ApiError(body.error ?? "unknown_error", body);
  return body;
}

function post(path, body) {
  return call(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

const enc = encodeURIComponent;

export const api = {
  state: () => call("/client/state"),
  messages: (channel, user) => call(`/client/channels/${enc(channel)}/messages?user=${enc(user)}`),
  thread: (channel, ts, user) => call(`/client/channels/${enc(channel)}/threads/${enc(ts)}?user=${enc(user)}`),
  send: (body) => post("/client/messages", body),
  react: (body) => post("/client/reactions", body),
  action: (body) => post("/client/actions", body),
  submit: (body) => post("/client/views/submit", body),
  closeView: (body) => post("/client/views/close", body),
  command: (body) => post("/client/commands", body),
  home: (user) => call(`/client/home?user=${enc(user)}`),
  incidents: () => call("/control/incidents"),
  startIncident: (body) => post("/control/incidents", body),
  clock: () => call("/control/clock"),
  truth: () => call("/control/truth"),
  pager: () => call("/control/pagerduty"),
  pagerDo: (body) => post("/control/pagerduty", body),
};

const WORDS = {
  network: "The sandbox cannot be reached.",
  not_acknowledged: "This app did not respond. Try again.",
  not_in_channel: "You are not in this channel.",
  channel_not_found: "This channel does not exist.",
  message_not_found: "This message does not exist any more.",
  not_found: "This is not open any more.",
  user_not_found: "This person does not exist here.",
  thread_not_found: "This thread does not exist any more.",
  already_reacted: "You have reacted with this already.",
  action_not_found: "This button is not there any more.",
  invalid_response: "The app answered something that Slack would not accept.",
  no_text: "There is nothing to send.",
  msg_too_long: "This message is too long (the limit is 40,000 characters).",
  ratelimited: "Too many requests. Wait a moment, then try again.",
  unknown_command: "There is no such command here. Try /sre help.",
  dispatch_failed: "The app is not connected, so this did not reach it. Try again.",
  app_not_connected: "The app is not connected, so this did not reach it. Try again.",
};

/** What a person reads when a call failed. */
export function explain(error) {
  if (!(error instanceof ApiError)) throw error;
  return WORDS[error.code] ?? `That did not work (${error.code}).`;
}
