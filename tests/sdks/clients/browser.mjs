// CHROMIUM PAGE: opens the page in a browser of its own and keeps it open until standard input
// ends, as somebody would who goes on looking.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [executablePath, page] = process.argv.slice(2);
const profile = await mkdtemp(join(tmpdir(), "chromium-"));
const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
  ],
});
try {
  const tab = await browser.newPage();
  tab.on("pageerror", (error) => console.error("lost", error));
  await tab.goto(page);
  process.stdin.resume();
  await new Promise((ended) => process.stdin.on("end", ended));
} finally {
  await browser.close();
  await rm(profile, { recursive: true, force: true });
}
