// Writes src/control.ts, the types of the control API, from the OpenAPI document that the
// `msgine-sandbox` on the path serves.
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import openapiTS, { astToString } from "openapi-typescript";

const flags = ["serve", "--port", "0", "--stop-with-stdin", "--quiet"];
const sandbox = spawn("msgine-sandbox", flags, { stdio: ["pipe", "pipe", "inherit"] });
const baseUrl = await new Promise((resolve, reject) => {
  createInterface(sandbox.stdout).once("line", resolve);
  sandbox.once("error", reject);
});
const document = new URL("/_sandbox/openapi.json", baseUrl);
const types = astToString(await openapiTS(document));
await writeFile(new URL("src/control.ts", import.meta.url), types);
sandbox.stdin.end();
