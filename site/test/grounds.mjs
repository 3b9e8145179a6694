// The grounds on which the page is tried: two browsers, and the page from a server
// and as the single file. What the environment chooses stands in harness.mjs.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const site = resolve(import.meta.dirname, "..");
export const build = resolve(process.env.PAGE || join(site, "dist"));
export const rootkiln = resolve(process.env.ROOTKILN || join(site, "../bin/rootkiln"));

for (const path of [join(build, "hosted/index.html"), join(build, "rootkiln.html"), rootkiln]) {
  if (!existsSync(path)) throw new Error(`${path} is missing; this makes it: make build`);
}

// ── browsers ────────────────────────────────────────────────────────────────

/** Everything of this process lies in here, and goes with it. */
export const scratch = mkdtempSync(join(tmpdir(), "rootkiln-page-"));

const browsers = {
  chromium: {
    browser: "chrome",
    executablePath: "/usr/bin/chromium",
    args: [
      ...process.getuid() === 0 ? ["--no-sandbox"] : [], // Chromium's sandbox refuses root
      "--lang=en-US",
    ],
  },
  firefox: {
    browser: "firefox",
    executablePath: "/usr/bin/firefox-esr",
    extraPrefsFirefox: { "intl.accept_languages": "en-US" },
  },
};

const endings = [() => rmSync(scratch, { recursive: true, force: true })];

/** end closes the browsers and all else that was begun here. */
export async function end() { for (const ending of endings.splice(0).reverse()) await ending(); }

/** A thing that is made when it is first wanted, and ended once with the process. */
function once(make, end) {
  let made;
  endings.push(async () => { if (made) await end(await made); });
  return () => made ??= make();
}

const launched = Object.fromEntries(Object.entries(browsers).map(([browser, options]) => [browser, once(
  () => {
    if (!existsSync(options.executablePath)) throw new Error(`${options.executablePath} is missing; this installs it: .ci/tools`);
    return puppeteer.launch({ headless: true, protocolTimeout: 180_000, ...options });
  },
  (b) => b.close())]));

/**
 * `rootkiln serve` on a port that is free, whose first line is its address, behind
 * a relay that notes each request on the wire: whether a browser took a file from
 * its cache is not for the browser to say.
 */
const served = once(async () => {
  const process = spawn(rootkiln, ["--lang", "en", "serve"], { stdio: ["ignore", "pipe", "ignore"] });
  for await (const chunk of process.stdout) {
    const port = /^http:.*:(\d+)/.exec(String(chunk))?.[1];
    if (port) return { process, ...await relay(Number(port)) };
  }
  throw new Error(`${rootkiln} serve ended; a program with the page is made by: make build`);
}, ({ process, server }) => { server.close(); process.kill(); });

const wire = [];

function relay(port) {
  const server = createServer((from) => {
    const to = connect(port, "127.0.0.1");
    from.on("data", (data) => wire.push(...String(data).match(/^[A-Z]+ \S+(?= HTTP\/1)/gm) ?? []));
    from.on("error", () => to.destroy()).pipe(to).on("error", () => from.destroy()).pipe(from);
  });
  return new Promise((ok) => {
    server.listen(0, "127.0.0.1", () => ok({ server, address: `http://127.0.0.1:${server.address().port}/` }));
  });
}

const ways = {
  hosted: async () => (await served()).address,
  file: async () => pathToFileURL(join(build, "rootkiln.html")).href,
};

export const grounds = Object.keys(browsers).flatMap((browser) => Object.keys(ways).map((way) => ({
  name: `${browser}-${way}`, browser, way, launch: launched[browser], address: ways[way], wire,
}))).filter((g) => g.name.includes(process.env.GROUND || ""));
if (grounds.length === 0) throw new Error(`no ground has "${process.env.GROUND}" in its name`);

/** cross is each browser once and each way once: enough where all four would only be slower. */
export const cross = /chromium-hosted|firefox-file/;
