// What the client knows: people, channels, messages, clock. Changes are announced as "change" events.

const sameJson = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const byTs = (a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0);

export const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
const inChannel = (message) => !isReply(message) || message.subtype === "thread_broadcast";

export class Store extends EventTarget {
  constructor() {
    super();
    this.team = null;
    this.me = null;
    this.botId = null;
    this.users = new Map();
    this.channels = new Map();
    this.groups = new Map();
    this.rooms = new Map(); // channel id → Map of ts → message
    this.files = new Map();
    this.statuses = new Map(); // "channel/thread" → what the bot is doing
    this.unread = new Map();
    this.clock = null;
  }

  changed(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }

  // --- who and where

  loadState(state) {
    this.team = state.team;
    this.botId = typeof state.bot_user === "string" ? state.bot_user : state.bot_user?.id;
    this.users = new Map((state.users ?? []).map((user) => [user.id, user]));
    this.channels = new Map((state.channels ?? []).map((channel) => [channel.id, channel]));
    this.groups = new Map((state.groups ?? []).map((group) => [group.id, group]));
    this.appConnected = state.connected !== false;
    if (typeof state.now === "number") this.setClock(state.now, this.clock?.rate ?? 1);
    if (this.me) this.me = this.users.get(this.me.id) ?? this.me;
    this.changed("state");
  }

  /** The people one can be: everyone but the bot. */
  people() {
    return [...this.users.values()].filter((user) => user.id !== this.botId && !user.is_bot);
  }

  become(user) {
    this.me = user;
    this.rooms.clear();
    this.unread.clear();
    this.changed("me");
  }

  get tz() {
    return this.me?.tz || "UTC";
  }

  userName(id, fallback = id) {
    const user = this.users.get(id);
    return user?.real_name || user?.name || fallback;
  }

  channelName(id, fallback = id) {
    return this.channels.get(id)?.name ?? fallback;
  }

  groupName(id, fallback = id) {
    const group = this.groups.get(id);
    return group?.handle || group?.name || fallback;
  }

  // --- the sandbox's clock, in seconds

  setClock(now, rate) {
    this.clock = { now, rate, at: performance.now() };
  }

  now() {
    if (!this.clock) return Date.now() / 1000;
    return this.clock.now + ((performance.now() - this.clock.at) / 1000) * this.clock.rate;
  }

  // --- messages

  room(channel) {
    if (!this.rooms.has(channel)) this.rooms.set(channel, new Map());
    return this.rooms.get(channel);
  }

  message(channel, ts) {
    return this.rooms.get(channel)?.get(ts);
  }

  roots(channel) {
    return [...this.room(channel).values()].filter(inChannel).sort(byTs);
  }

  replies(channel, threadTs) {
    return [...this.room(channel).values()].filter((message) => isReply(message) && message.thread_ts === threadTs).sort(byTs);
  }

  /** Replace what is shown in a channel; replies already known stay. */
  loadChannel(channel, messages) {
    this.replace(channel, inChannel, messages);
  }

  /** Replace a thread: its root and its replies. */
  loadThread(channel, threadTs, messages) {
    this.replace(channel, (message) => isReply(message) && message.thread_ts === threadTs, messages);
  }

  replace(channel, covered, messages) {
    const room = this.room(channel);
    const fresh = new Set(messages.map((message) => message.ts));
    for (const message of [...room.values()]) if (covered(message) && !fresh.has(message.ts)) room.delete(message.ts);
    for (const message of messages) this.put(channel, message);
    this.changed("messages");
  }

  // Keep the old object when nothing changed, so that it is not drawn again.
  put(channel, message) {
    const room = this.room(channel);
    const old = room.get(message.ts);
    (message.files ?? []).forEach((file) => this.addFile(file));
    if (!old || !sameJson(old, message)) room.set(message.ts, message);
    return !old;
  }

  /** A new or changed message came in. Returns true when it was not known before. */
  upsert(channel, message) {
    const isNew = this.put(channel, message);
    if (isNew && isReply(message) && !message.is_ephemeral) this.countReply(channel, message, 1);
    this.changed("messages");
    return isNew;
  }

  countReply(channel, reply, by) {
    const root = this.message(channel, reply.thread_ts);
    if (!root) return;
    const latest = by > 0 ? reply.ts : root.latest_reply;
    this.room(channel).set(root.ts, { ...root, reply_count: Math.max(0, (root.reply_count ?? 0) + by), latest_reply: latest });
  }

  remove(channel, ts) {
    const message = this.message(channel, ts);
    if (!message) return;
    if (message.reply_count > 0) this.room(channel).set(ts, tombstone(message));
    else this.room(channel).delete(ts);
    if (isReply(message) && !message.is_ephemeral) this.countReply(channel, message, -1);
    this.changed("messages");
  }

  setReactions(channel, ts, reactions) {
    const message = this.message(channel, ts);
    if (!message) return;
    this.room(channel).set(ts, { ...message, reactions });
    this.changed("messages");
  }

  /** What the bot says that it is doing in a thread; "" when it is done. */
  setStatus(channel, threadTs, words) {
    const key = `${channel}/${threadTs}`;
    if ((this.statuses.get(key) ?? "") === words) return;
    this.statuses.set(key, words);
    this.changed("status");
  }

  addFile(file) {
    if (file?.id) this.files.set(file.id, file);
  }

  fileUrl(id) {
    const file = this.files.get(id);
    return file?.url_private ?? (id ? `/slack/files/${encodeURIComponent(id)}/file` : null);
  }
}

const tombstone = (message) => ({
  ts: message.ts, thread_ts: message.ts, subtype: "tombstone", user: message.user,
  reply_count: message.reply_count, latest_reply: message.latest_reply, text: "This message was deleted.",
});
