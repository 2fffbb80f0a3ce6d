// Posts what a composer holds: a message, or a slash command.

/** Send `text` to a channel or thread as the current user. */
export async function post({ api, store, channel, threadTs }, text) {
  const where = { user: store.me.id, channel, ...(threadTs ? { thread_ts: threadTs } : {}) };
  const command = text.match(/^(\/[a-z][\w-]*)(?:\s+([\s\S]*))?$/i);
  if (command) return api.command({ ...where, command: command[1], text: (command[2] ?? "").trim() });
  return api.send({ ...where, text });
}
