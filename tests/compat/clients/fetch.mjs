// Node's fetch as it comes: its connections are kept by the process.
import { setTimeout as sleep } from "node:timers/promises";

const { BASE_URL, TOKEN, CONNECTIONS, SENDS } = process.env;
const shortest = Number(process.env.SHORTEST_PAUSE);
const longest = Number(process.env.LONGEST_PAUSE);

async function send() {
  try {
    const response = await fetch(`${BASE_URL}/messages/sms`, {
      method: "POST",
      headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
      body: JSON.stringify({ to: "+256701234567", message: "Hello from fetch" }),
    });
    await response.text();
    return response.status;
  } catch (error) {
    return `lost: ${error.cause ?? error}`;
  }
}

async function sendAll() {
  for (let i = 0; i < SENDS; i += 1) {
    console.log(await send());
    if (i < SENDS - 1) await sleep(1000 * (shortest + Math.random() * (longest - shortest)));
  }
}

await Promise.all(Array.from({ length: Number(CONNECTIONS) }, sendAll));
