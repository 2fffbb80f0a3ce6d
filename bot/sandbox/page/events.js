// Keeps the server-sent event stream of one user open, and says when it opens and breaks.

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5000;

export class EventStream {
  /** `onEvent(event)`, `onOpen()` at every (re)connection, `onBreak()` when it is lost. */
  constructor({ onEvent, onOpen, onBreak }) {
    this.handlers = { onEvent, onOpen, onBreak };
    this.source = null;
    this.timer = null;
    this.retryMs = FIRST_RETRY_MS;
    this.connected = false;
  }

  open(user) {
    this.close();
    this.user = user;
    this.connect();
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.connected = false;
  }

  connect() {
    const source = new EventSource(`/client/events?user=${encodeURIComponent(this.user)}`);
    this.source = source;
    source.onopen = () => {
      this.retryMs = FIRST_RETRY_MS;
      this.connected = true;
      this.handlers.onOpen();
    };
    source.onmessage = (message) => this.receive(message.data);
    source.onerror = () => this.lost(source);
  }

  receive(data) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return; // a broken line must not stop the stream; the next reload brings what it held
    }
    if (event && typeof event.type === "string") this.handlers.onEvent(event);
  }

  // Reconnects by itself: a browser gives up for good on an HTTP error, and waits long after a lost line.
  lost(source) {
    if (source !== this.source) return;
    source.close();
    this.connected = false;
    this.handlers.onBreak();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }
}
