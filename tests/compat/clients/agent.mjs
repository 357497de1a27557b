// Node's http.request with an agent that keeps connections.
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { BASE_URL, TOKEN, CONNECTIONS, SENDS } = process.env;
const shortest = Number(process.env.SHORTEST_PAUSE);
const longest = Number(process.env.LONGEST_PAUSE);

function send(agent) {
  return new Promise((resolve) => {
    const lost = (error) => resolve(`lost: ${error}`);
    const request = http.request(
      `${BASE_URL}/messages/sms`,
      {
        method: "POST",
        agent,
        headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
      },
      (response) => {
        response.on("error", lost);
        response.on("end", () => resolve(response.statusCode));
        response.resume();
      },
    );
    request.on("error", lost);
    request.end(JSON.stringify({ to: "+256701234567", message: "Hello from an agent" }));
  });
}

async function sendAll() {
  const agent = new http.Agent({ keepAlive: true });
  for (let i = 0; i < SENDS; i += 1) {
    console.log(await send(agent));
    if (i < SENDS - 1) await sleep(1000 * (shortest + Math.random() * (longest - shortest)));
  }
  agent.destroy();
}

await Promise.all(Array.from({ length: Number(CONNECTIONS) }, sendAll));
