// The events of the sandbox: server-sent events, read with fetch because EventSource cannot send
// headers. Read by the worker of all tabs, or by a tab where there are no such workers.

import { ROOT } from "./root.js";

const RETRY_MS = 500; // between connection attempts
const WORK_MS = 12; // of processing events before others have their turn
const TEXT_LENGTH = 2000; // as in the summaries of the control API
// What events have and lists do not need: it is loaded when one is opened.
const NOT_IN_LISTS = [
  "content", "html", "timeline", "request", "response", "decisions", "data", "links", "codes",
];

const sleep = (milliseconds = 0) => new Promise((done) => setTimeout(done, milliseconds));

// `onState` is called with "live", "lost" (it reconnects by itself), or, when it ends,
// "unauthorized" (wrong or missing control token).
export class EventStream {
  constructor(controlToken, { onEvents, onState }) {
    this.controlToken = controlToken;
    this.onEvents = onEvents;
    this.onState = onState;
    this.lastEventId = null;
    this.aborter = null;
  }

  // Start, after a stop from where it was.
  start() {
    this.stop();
    this.aborter = new AbortController();
    this.run(this.aborter.signal);
  }

  stop() {
    this.aborter?.abort();
  }

  async run(signal) {
    while (!signal.aborted) {
      try {
        const response = await this.connect(signal);
        if (response.ok) {
          this.onState("live");
          await this.read(response.body.getReader());
        } else if (response.status === 401) {
          this.onState("unauthorized");
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
    const headers = {};
    if (this.controlToken) headers["X-Control-Token"] = this.controlToken;
    // The server continues after this event, or sends a gap where it no longer has the next one.
    if (this.lastEventId) headers["Last-Event-ID"] = this.lastEventId;
    return fetch(`${ROOT}/_sandbox/events`, { headers, signal, cache: "no-store" });
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
      // Under load the next chunk is always there already, and a tab would never be drawn.
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
    else if (line.startsWith("data: ")) event.data = summary(JSON.parse(line.slice(6)));
  }
  return event.kind ? event : null;
}

function summary(data) {
  for (const name of NOT_IN_LISTS) delete data[name];
  if (data.message?.length > TEXT_LENGTH) {
    data.message = data.message.slice(0, TEXT_LENGTH);
    data.truncated = true;
  }
  return data;
}
