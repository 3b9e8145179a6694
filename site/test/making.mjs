// What several stories of Make do, and of Inspect.

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { hex, report, wide } from "./tools.mjs";

/** The heading of each archive's row in the receipt. */
const parts = { server: "For the first server", offline: "For the safe" };

/** A search for primes may be unlucky. */
const making = 120_000;

/** make presses the main button and waits for the receipt. */
export async function make(v, button = "Make bundle") {
  await v.click("button", button);
  await v.hears(button === "Make bundle" ? "The bundle is made" : "The request is made", making);
}

/** save downloads an archive of the receipt. */
export const save = (v, part) => v.download(() => v.tap(v.path(
  `//*[@aria-labelledby='result-files']//div[div/b[normalize-space()="${parts[part]}"]]/button`)));

/** receipt is what it says: root fingerprint, token, digest of the plan. */
export async function receipt(v) {
  const of = (selector) => v.page.$eval(selector, (e) => e.textContent);
  return {
    root: hex(await of("[aria-labelledby=result-root] .fingerprint")),
    token: (await of("[aria-labelledby=result-token] pre")).trim(),
    digest: hex(await of("[aria-labelledby=result-inside] .fingerprint")),
  };
}

/**
 * planned waits until the preview shows another plan than the one of a digest, and
 * stays with it, as it does once the typing has ended; it gives the new digest.
 */
export async function planned(v, before = "") {
  await v.page.waitForFunction((before) => {
    const now = document.querySelector(".preview .fingerprint")?.textContent ?? "";
    const stays = now !== "" && now.replace(/\s/g, "") !== before && now === window.lastDigest;
    window.lastDigest = now;
    return stays;
  }, { polling: 600, timeout: 30_000 }, before);
  await v.page.evaluate(() => { delete window.lastDigest; });
  return hex(await v.page.$eval(".preview .fingerprint", (e) => e.textContent));
}

// ── Inspect ─────────────────────────────────────────────────────────────────

const sentences = JSON.parse(readFileSync(new URL("../src/words/en.inspect.json", import.meta.url), "utf8"));

/** word is how the page says a code of the engine. */
export const word = (family, code) => sentences[`${family}.${code}`];

/** sentence is what the page says with these values in it. */
export const sentence = (key, values) => sentences[key].replace(/\{(\w+)\}/g, (_, name) => values[name].toLocaleString("en"));

/**
 * inspect lets files and folders fall onto the tab, in the place of what is open,
 * and waits for the first view; asked answers a question in between.
 */
export async function inspect(v, paths, asked = async () => {}) {
  const [first, ...others] = [paths].flat();
  await v.click("tab", "Inspect");
  if (await v.page.$(".inspect-head")) await v.click("button", "Another");
  await v.drop(".inspect-drop", first, ...others);
  await asked();
  await v.find("heading", basename(first) + (others.length > 0 ? ` +${others.length}` : "")).waitHandle();
  await v.find("tab", "Overview").waitHandle();
}

/** view goes to another view of what was dropped. */
export const view = (v, name) => v.click("tab", name);

/** The two of them look at the clock one after the other. */
const untimed = (text) => text.replace(/(checked for|current time) [\d:TZ-]+/g, "$1");

/**
 * sameFindings compares what the page found with a report of our command line: the
 * same codes with the same severities, as often, in the words of its text.
 */
export async function sameFindings(v, command, ...args) {
  const shown = await v.page.$$eval(".inspect .findings > li", (all) => all.map((li) => ({
    what: li.querySelector("summary .what").textContent, code: li.querySelector("p.code code").textContent })));
  const native = report(command, ...args), text = untimed(wide(command, ...args));
  assert.deepEqual(shown.map(({ what, code }) => `${what.split(": ")[0].toLowerCase()} ${code}`).sort(),
    native.findings.map((f) => `${f.severity} ${f.code}`).sort());
  for (const { what } of shown) assert.ok(text.includes(untimed(what.replace(/^\w+: /, ""))), `our command line has other words for “${what}”:\n${text}`);
  return native;
}

/** commandsOf are the texts of commands among remedies or steps. */
export const commandsOf = (all) => all.filter((x) => x.commands.length > 0).map((x) => x.commands.join("\n"));

/** verdictOf is the sentence that goes with the findings of a report. */
export const verdictOf = ({ findings }) => word("inspect.verdict", ["error", "warning"].find((s) => findings.some((f) => f.severity === s)) ?? "ok");

/** sameRuling waits until the page foretells what rotate-ca answers to NEXT, and compares it with our command line. */
export async function sameRuling(v, next, old) {
  const { against, findings } = report("verify", next, "--against", old);
  const has = (severity) => findings.some((f) => f.severity === severity);
  const verdict = !against.ruling.saved ? "refused" : has("error") ? "acceptedBroken" : has("warning") ? "acceptedWarned" : "accepted";
  await v.sees(word("against", "verdict"), word("against", "verdict"));
  assert.deepEqual(await v.texts("[aria-labelledby=against-verdict] .verdict"), [word("against", verdict)]);
  assert.deepEqual(await v.rows(word("against", "perFile")), against.ruling.files.map((f) => [f.path,
    word("against", f.offered ? "offered" : "own"), f.refused ? word("against.check", f.refused) : word("against", "fileAccepted")]));
  for (const code of against.ruling.saved ? [] : against.forceHides) await v.sees(code, word("against", "verdict"));
  await v.sees(word("against", against.tokenKept ? "tokenKept" : "tokenNew"), "Join token");
  await sameFindings(v, "verify", next, "--against", old);
  return verdict;
}

/** Parts of a rotation, by the heading of each row. */
const nextParts = { server: "Server part", offline: "Offline part" };

/** rotate says what changes and with which keys, makes the next bundle and waits for it; asked answers a dialog in between. */
export async function rotate(v, { keys = [], way, step }, asked = async () => {}) {
  await view(v, "Rotate");
  for (const [i, key] of keys.entries()) {
    if (statSync(key).isDirectory()) await v.drop("[aria-labelledby=rotate-keys] .inspect-drop", key);
    else await v.attach(i === 0 ? "Choose the offline part" : "Add more", "Keys of the issuers", key);
    await v.sees(basename(key), "Keys of the issuers");
  }
  if (way) await v.choose("What changes", way);
  if (step) await v.choose("How fast the roots change", step);
  await v.click("button", "Make the next bundle");
  await asked();
  await v.hears("The next bundle is made", making);
}

/** saveNext downloads a part of what a rotation made. */
export const saveNext = (v, part) => v.download(() => v.tap(v.path(
  `//*[@aria-labelledby='rotate-files']//div[div/b[normalize-space()="${nextParts[part]}"]]/button`)));

/** answer gives a passphrase to the dialog that asks for one. */
export async function answer(v, dialog, passphrase, again) {
  await v.find("heading", dialog).waitHandle();
  await v.fill("Passphrase", passphrase);
  if (again) await v.fill("The same again", passphrase);
  await v.click("button", "OK");
}
