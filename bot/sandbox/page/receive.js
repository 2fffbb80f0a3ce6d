// Applies one server event to the client.

const channelOf = (event) => event.channel ?? event.item?.channel;

const isText = (value) => typeof value === "string" && value !== "";
const hasMessage = (event) => isText(channelOf(event)) && isText(event.message?.ts);
const hasView = (event) => isText(event.view?.id);

// An event is only applied when it holds what its handler needs.
const COMPLETE = {
  message: hasMessage,
  ephemeral: hasMessage,
  message_changed: hasMessage,
  view_opened: hasView,
  view_pushed: hasView,
  view_updated: hasView,
};

const HANDLERS = {
  message: (event, client) => incoming(event, client, event.message),
  ephemeral: (event, client) => incoming(event, client, { ...event.message, is_ephemeral: true }),
  file: (event, client) => client.store.addFile(event.file),
  status: (event, client) => client.store.setStatus(event.channel, event.thread_ts, event.status),
  resync: (event, client) => client.reload(),
  message_changed: (event, client) => client.store.upsert(channelOf(event), event.message),
  message_deleted: (event, client) => client.store.remove(channelOf(event), event.ts ?? event.deleted_ts ?? event.message?.ts),
  reaction: reaction,
  view_opened: (event, client) => client.modals.opened(event.view),
  view_pushed: (event, client) => client.modals.opened(event.view),
  view_updated: (event, client) => (event.view.type === "home" ? client.homePane.publish(event.view) : client.modals.updated(event.view)),
  view_closed: (event, client) => client.modals.closed(event.view_id ?? event.view?.id, event.is_cleared === true || event.clear === true),
  home_published: (event, client) => event.view && client.homePane.publish(event.view),
};

/** Apply an event; unknown types are ignored (a newer server may send more), and so are incomplete ones. */
export function receive(event, client) {
  const complete = COMPLETE[event.type] ?? (() => true);
  if (Object.hasOwn(HANDLERS, event.type) && complete(event)) HANDLERS[event.type](event, client);
}

function incoming(event, client, message) {
  const channel = channelOf(event);
  if (message.thread_ts && !message.is_ephemeral) client.store.setStatus(channel, message.thread_ts, "");
  if (client.store.upsert(channel, message)) client.arrived(channel, message);
}

function reaction(event, client) {
  const ts = event.ts ?? event.item?.ts;
  const reactions = event.reactions ?? event.message?.reactions;
  if (reactions) client.store.setReactions(channelOf(event), ts, reactions);
  else client.reload();
}
