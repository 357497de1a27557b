// How each documented behaviour is brought about: the call of the playground, the fields that
// differ from what they have at first, and what there is to do besides.

const HOOKS = { callbackUrl: "http://localhost:3000/hooks" };
const RECEIVER = "A receiver there has to answer it with 2xx.";
const magic = (number) => ["sms", { to: number }];

const WAYS = {
  "message accepted": ["sms", {}],
  "200 message read": ["message", {}, "With the id of a message that it has sent."],
  "200 messages listed": ["messages", {}],
  "200 a page past the first": ["messages", { page: "2", limit: "1" }],
  "several recipients": ["sms", { to: "+256701234567,+256752345678" }],
  callbackUrl: ["sms", HOOKS],
  "idempotent replay": ["sms", {}, "Send it twice.", "order-1042"],
  "success after waiting for Retry-After": [
    ...magic("+256700004291"), "Send it, wait as long as Retry-After says, send it again.",
  ],
  "400 invalid_phone_number": ["sms", { to: "0701234567" }],
  "400 invalid_message": ["sms", { message: "x".repeat(1601) }],
  "400 invalid_sender_id": ["sms", { from: "no spaces" }],
  "401 unauthorized": magic("+256700004010"),
  "403 forbidden": magic("+256700004030"),
  "404 not_found": ["message", { id: "msg_0000000000000000" }],
  "429 rate_limit_exceeded": magic("+256700004290"),
  "500 internal_error": magic("+256700005000"),
  "502 bad_gateway": magic("+256700005020"),
  "503 service_unavailable": magic("+256700005030"),
  "message.sent webhook": ["sms", HOOKS, RECEIVER],
  "message.delivered webhook": ["sms", HOOKS, RECEIVER],
  "message.failed webhook": ["sms", { to: "+256700000001", ...HOOKS }, RECEIVER],
  "email accepted": ["email", {}],
  "push accepted": ["push", {}],
  "a push that fails for some": ["push", { userIds: "user-1042,sandbox-bounce" }],
  "a message for later": ["developerSms", { scheduledFor: "2099-01-01T06:00:00Z" }],
  "device registered": ["device", {}],
  "200 device removed": ["removal", {}, "Register it first."],
  "200 analytics overview": ["overview", {}],
  "200 analytics by day": ["daily", {}],
};

// Return undefined for a behaviour that the page does not know.
export function wayTo(name) {
  if (!Object.hasOwn(WAYS, name)) return undefined;
  const [call, values, hint, key] = WAYS[name];
  return { call, values, hint, key };
}
