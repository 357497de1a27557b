// Tries the packed client as its documentation says, in an empty folder: its files are the blocks
// of docs/testing-typescript.md that begin with a name.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const page = readFileSync(new URL("../../docs/testing-typescript.md", import.meta.url), "utf8");
const { version } = JSON.parse(readFileSync(join(here, "package-lock.json"))).packages[
  "node_modules/vitest"
];
const [packed] = readdirSync(here).filter((name) => name.endsWith(".tgz"));
const folder = mkdtempSync(join(tmpdir(), "msgine-sandbox-"));
const run = (command, ...flags) => execFileSync(command, flags, { cwd: folder, stdio: "inherit" });
try {
  for (const [, name, text] of page.matchAll(/^```typescript\n\/\/ (\S+)\n(.*?)^```$/gms)) {
    writeFileSync(join(folder, name), text);
  }
  writeFileSync(join(folder, "package.json"), "{}");
  const quiet = ["--silent", "--no-audit", "--no-fund", "--prefer-offline"];
  run("npm", "install", ...quiet, "--save-dev", join(here, packed), `vitest@${version}`);
  // Milliseconds that only a hang takes, however slow the machine is.
  run("npx", "vitest", "run", "--testTimeout=60000", "--hookTimeout=60000");
} finally {
  rmSync(folder, { recursive: true });
}
