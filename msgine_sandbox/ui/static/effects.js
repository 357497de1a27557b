// What a fault can do, in words: for the form that adds one, for the list, and for decisions.

// By what it applies to, by kind: the words, the `effect` for the control API, and further fields.
export const KINDS = {
  Requests: {
    status: ["error response", {}, "status code retryAfter delay commit"],
    message: ["error response without the envelope", { envelope: false },
      "status retryAfter delay commit"],
    before: ["connection closed before the request is processed", { drop: "before" }, "delay"],
    after: ["connection closed after the request is processed", { drop: "after" }, "delay"],
    delay: ["late response", {}, "delay commit"],
    malformed: ["malformed JSON", { malformed: true }, "delay commit"],
  },
  Deliveries: {
    failed: ["sent, then failed", { delivery: "failed" }, "reason after"],
    refused: ["failed without being sent", { delivery: "refused" }, "reason after"],
    sent: ["stay sent", { delivery: "sent" }, "after"],
    pending: ["stay pending", { delivery: "pending" }, ""],
    delivered: ["delivered", { delivery: "delivered" }, "after"],
  },
  Webhooks: {
    duplicate: ["sent twice", { webhook: "duplicate" }, ""],
    reorder: ["message.sent comes last", { webhook: "reorder" }, ""],
    lose: ["not sent", { webhook: "lose" }, ""],
    "wrong-signature": ["wrong signature", { webhook: "wrong-signature" }, ""],
    late: ["sent late", { webhook: "delay" }, "delay"],
  },
};

// To what an effect applies, and its words.
export function groupOf({ delivery, webhook }) {
  return delivery ? "Deliveries" : webhook ? "Webhooks" : "Requests";
}

export function effectText(effect) {
  const { status, code, retryAfter, delay, drop, commit, delivery, webhook } = effect;
  const { reason, after } = effect;
  const kind = delivery ?? (webhook === "delay" ? "late" : webhook) ?? drop
    ?? (effect.malformed ? "malformed" : !status ? "delay" : effect.envelope === false ? "message"
      : "status");
  return [
    [KINDS[groupOf(effect)][kind][0], status].filter(Boolean).join(" "), code, reason,
    retryAfter !== undefined && `Retry-After ${retryAfter} s`,
    delay && `${delay} s${["delay", "late"].includes(kind) ? "" : " late"}`,
    after !== undefined && `after ${after} s`,
    commit && "request processed first",
  ].filter(Boolean).join(", ");
}

export function magicText(recipient) {
  return `Magic ${recipient.startsWith("+") ? "number" : "recipient"} ${recipient}`;
}

// To which requests, deliveries or webhooks a fault applies.
export function matchText({ method, path, to, channel, event }) {
  return [method, path, channel, event, to && `to ${to}`].filter(Boolean).join(" ");
}
