// The event feed: server-sent events, read with fetch because EventSource cannot send headers.
import { controlHeaders } from "./api.js";

const RETRY_MS = 500; // between connection attempts
const WORK_MS = 12; // of processing events before the browser may draw a frame

const sleep = (milliseconds = 0) => new Promise((done) => setTimeout(done, milliseconds));

// `onState` is called with "live", "lost" (the feed reconnects by itself), or, when the feed ends,
// "unauthorized" (wrong or missing control token) or "no-account".
export class Feed {
  constructor(account, { onEvents, onState }) {
    this.account = account;
    this.onEvents = onEvents;
    this.onState = onState;
    this.lastEventId = null;
    this.aborter = new AbortController();
    this.run();
  }

  stop() {
    this.aborter.abort();
  }

  async run() {
    const { signal } = this.aborter;
    while (!signal.aborted) {
      try {
        const response = await this.connect(signal);
        if (response.ok) {
          this.onState("live");
          await this.read(response.body.getReader());
        } else if (response.status === 401 || response.status === 404) {
          this.onState(response.status === 401 ? "unauthorized" : "no-account");
          return;
        }
      } catch {
        // The connection broke or could not be made.
      }
      if (signal.aborted) return;
      this.onState("lost");
      await sleep(RETRY_MS);
    }
  }

  connect(signal) {
    const headers = controlHeaders(this.account);
    // The server continues after this event, or sends a gap where it no longer has the next one.
    if (this.lastEventId) headers["Last-Event-ID"] = this.lastEventId;
    return fetch("/_sandbox/events", { headers, signal, cache: "no-store" });
  }

  async read(reader) {
    const decoder = new TextDecoder();
    let buffer = "";
    let startedAt = performance.now();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      buffer += decoder.decode(value, { stream: true });
      const end = buffer.lastIndexOf("\n\n");
      if (end < 0) continue;
      const events = buffer.slice(0, end).split("\n\n").map(parseEvent).filter(Boolean);
      buffer = buffer.slice(end + 2);
      for (const event of events) this.lastEventId = event.id ?? this.lastEventId;
      if (events.length) this.onEvents(events);
      // Under load the next chunk is always there already, and the page would never be drawn.
      if (performance.now() - startedAt > WORK_MS) {
        await sleep();
        startedAt = performance.now();
      }
    }
  }
}

// Return null for a block without an event, such as a comment.
function parseEvent(block) {
  const event = {};
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) event.id = line.slice(4);
    else if (line.startsWith("event: ")) event.kind = line.slice(7);
    else if (line.startsWith("data: ")) event.data = JSON.parse(line.slice(6));
  }
  return event.kind ? event : null;
}
