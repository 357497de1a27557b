// The feed: what happens in the sandbox, from the worker that all tabs of the browser share.
// Where there are no such workers, each tab has a connection while it is visible.
import { controlToken } from "./browser_storage.js";
import { EventStream } from "./event_stream.js";
import { ROOT } from "./root.js";

class SharedSource {
  constructor({ onEvents, onState }) {
    const worker = new SharedWorker(`${ROOT}/ui/feed_worker.js`, { type: "module" });
    this.port = worker.port;
    this.port.onmessage = ({ data: { events, state } }) => {
      if (state) onState(state);
      else onEvents(events);
    };
    this.begin = () => this.port.postMessage({ controlToken: controlToken.get() });
    // A page that the browser keeps for "back" gets no events, and begins anew when it returns.
    this.end = () => this.port.postMessage(null);
    this.restart = ({ persisted }) => persisted && this.begin();
    addEventListener("pagehide", this.end);
    addEventListener("pageshow", this.restart);
    this.begin();
  }

  stop() {
    removeEventListener("pagehide", this.end);
    removeEventListener("pageshow", this.restart);
    this.end();
    this.port.close();
  }
}

class OwnSource {
  constructor({ onEvents, onState }) {
    this.stream = new EventStream(controlToken.get(), { onEvents, onState });
    this.follow = () => {
      if (!document.hidden) {
        this.stream.start();
        return;
      }
      this.stream.stop();
      onState("resting");
    };
    document.addEventListener("visibilitychange", this.follow);
    this.follow();
  }

  stop() {
    document.removeEventListener("visibilitychange", this.follow);
    this.stream.stop();
  }
}

// Return null where the browser has no shared workers, or does not let this page have one.
function sharedSource(handlers) {
  try {
    return new SharedSource(handlers);
  } catch {
    return null;
  }
}

// `onState` is called with a state of the event stream, or with "resting" while the tab is hidden
// and its own connection is closed. After "live", `continues` tells whether the events go on after
// the last one; otherwise the page has to load everything.
export class Feed {
  constructor(account, { onEvents, onState }) {
    this.state = null;
    this.hasEvents = false;
    const handlers = {
      onEvents: (events) => {
        const own = account ? events.filter((event) => isAbout(event, account)) : events;
        this.hasEvents = true;
        if (own.length) onEvents(own);
      },
      onState: (state) => {
        this.continues = this.hasEvents && ["lost", "resting"].includes(this.state);
        this.state = state;
        onState(state);
      },
    };
    this.source = sharedSource(handlers) ?? new OwnSource(handlers);
  }

  stop() {
    this.source.stop();
  }
}

function isAbout({ kind, data }, account) {
  // A change without an account is one of all accounts.
  return kind === "gap" || data.accountId === account.id
    || (kind === "changed" && data.accountId === null);
}
