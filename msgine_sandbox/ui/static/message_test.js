// A message as a test to copy: it sends the same and expects the same of each recipient.
import { literal, requestOf } from "./snippets.js";

// The names of magic recipients that are never delivered by the clock, or only after an hour.
const UNDELIVERED = ["stuck", "unconfirmed"];
const SLOW = ["slow"];
// Those to which a delivery fails.
const FAILING = ["bounce", "refused"];
// Those whose send has no response, or only after more than the client waits.
const UNANSWERED = ["answer-late", "answer-lost"];
// Those whose first sends are answered with an error, and how many.
const COUNTED = /^answered-\d+-(\d)$/;

export function messageAsTest(message, definitions) {
  const { recipients, channel, ownDevices, id } = message;
  const names = ownDevices ? [] : recipients.map(({ to }) => definitions.magicName(to) ?? "");
  const isUnanswered = names.some((name) => UNANSWERED.includes(name));
  const filter = `to=${literal(recipients[0].to)}, channel=${literal(channel)}`;
  return `import httpx
${isUnanswered ? "import pytest\n" : ""}

def test_a_message_like_${id.replaceAll("-", "_")}(msgine):
${ownDevices ? registration(message) : ""}${faults(message, definitions)}${
  sending(message, names, isUnanswered)}    message = msgine.wait_for_message(${filter})
${assertion(message, definitions)}`;
}

// A push without a target goes to the devices of its account, and that of a test has none yet.
function registration({ recipients }) {
  return `    for token in ${literal(recipients.map(({ to }) => to))}:
        httpx.post(
            f"{msgine.base_url}/developers/push/device",
            headers={"Authorization": f"Bearer {msgine.token}"},
            json={"token": token, "platform": "android"},
        ).raise_for_status()
`;
}

// What made other deliveries fail than magic recipients and hands: faults, or a scenario.
function faults({ recipients }, definitions) {
  const faulty = recipients.filter((each) => isFaulty(each, definitions));
  return faulty.map(({ to, reason }) => `    msgine.faults.delivery(
        "refused", to=${literal(to)}, reason=${literal(reason)}
    )
`).join("");
}

function isFaulty({ to, status, reason, rule }, definitions) {
  if (status !== "failed" || reason === definitions.reasons.byHand) return false;
  return rule?.startsWith("flt_") || !FAILING.includes(definitions.magicName(to));
}

// Send as often as it takes until the message is accepted.
function sending(message, names, isUnanswered) {
  const { path, body } = requestOf(message, "");
  const refusals = names.reduce((sum, name) => sum + Number(COUNTED.exec(name)?.[1] ?? 0), 0);
  const indent = refusals || isUnanswered ? "        " : "    ";
  const call = `httpx.post(
${indent}    f"{msgine.base_url}${path}",
${indent}    headers={"Authorization": f"Bearer {msgine.token}"},
${indent}    json=${literal(JSON.parse(body), `${indent}    `)},
${indent})`;
  if (isUnanswered) {
    return `    with pytest.raises(httpx.TransportError):
${indent}${call.replace(/\)$/, `    timeout=2,\n${indent})`)}
`;
  }
  if (!refusals) return `    ${call}.raise_for_status()\n`;
  return `    for _ in range(${refusals + 1}):  # it is refused before it is accepted
        response = ${call}
    response.raise_for_status()
`;
}

// Bring about the statuses that the recipients have now: by the clock, or by hand where the clock
// would not. A message that is not finished is only compared.
function assertion(message, definitions) {
  const { status, recipients } = message;
  const { byHand } = definitions.reasons;
  const isOpen = definitions.nextStatuses(status).length > 0;
  const failed = recipients.filter((each) => each.status === "failed");
  const has = (names) => recipients.some(({ to, status: own }) =>
    own === "delivered" && names.includes(definitions.magicName(to)));
  const lines = isOpen ? [`assert message.text == ${literal(message.message)}`] : [];
  const moved = recipients.map((each) => [each, moveOf(each, byHand, definitions)])
    .filter(([, move]) => move);
  const isWhole = moved.length === recipients.length
    && moved.every(([, move]) => move === moved[0][1]);
  for (const [{ to }, move] of isWhole ? moved.slice(0, 1) : moved) {
    lines.push(`message.${move}(${isWhole ? "" : `to=${literal(to)}`})`);
  }
  if (moved.length < recipients.length && (!isOpen || failed.length)) {
    lines.push(`msgine.clock.advance(${has(SLOW) ? "hours=1" : "seconds=3"})`);
  }
  if (!isOpen || failed.length) lines.push("message = message.refresh()");
  if (!isOpen) lines.push(`assert message.status == ${literal(status)}`);
  if (failed.length) {
    const reasons = Object.fromEntries(failed.map(({ to, reason }) => [to, reason]));
    lines.push(
      'failed = {each.to: each.reason for each in message.recipients if each.status == "failed"}',
      isOpen ? `assert failed.items() >= ${literal(reasons, "    ")}.items()`
        : `assert failed == ${literal(reasons, "    ")}`,
    );
  }
  return `    ${lines.join("\n    ")}\n`;
}

// The method that sets a recipient's status by hand, null where the clock does.
function moveOf({ to, status, reason }, byHand, definitions) {
  if (reason === byHand) return "fail";
  const isUndelivered = UNDELIVERED.includes(definitions.magicName(to));
  return status === "delivered" && isUndelivered ? "deliver" : null;
}
