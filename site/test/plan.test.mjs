// The form, what it shows before any key exists, and the plan that leaves it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cross, rootkiln as program, story } from "./harness.mjs";
import { make, planned, receipt, save } from "./making.mjs";
import { certificates, hex, isolatedKeys, judgeOffline, judgeServer, openssl, rootkiln, run } from "./tools.mjs";

/** What is drawn: the topology as text, lines of the timeline, rows of the list of files. */
const tree = (v) => v.page.$eval(".preview svg.tree", (e) => e.textContent);
const lives = (v) => v.page.$$eval(".preview svg.time rect.bar", (all) => all.length);
const rows = (v, caption) => v.page.evaluate((c) => [...document.querySelectorAll(".preview table")].find((t) => t.caption?.textContent.startsWith(c))?.tBodies[0].rows.length, caption);

story("topology, timeline and file list follow the form", {}, async (v) => {
  const first = await planned(v);
  assert.match(await tree(v), /client root CA/);
  assert.equal(await lives(v), 11, "a line of the timeline for each certificate");
  assert.equal(await rows(v, "For the first server"), 11);
  assert.equal(await rows(v, "For the safe"), 15);
  await v.choose("Topology", "Shared root");
  const second = await planned(v, first);
  assert.doesNotMatch(await tree(v), /client root CA/);
  assert.equal(await lives(v), 7);
  assert.ok(await rows(v, "For the safe") < 15);
  await v.fill("Lifetime: Roots", "30y");
  await v.fill("Lifetime: Five CAs", "400d");
  await planned(v, second);
  const year = new Date().getUTCFullYear();
  await v.sees(`until ${year + 30}-`, "Life and keys");
  assert.ok((await v.texts(".preview svg.time")).join().includes(String(year + 30)));
  const slider = await v.control("Years: Roots").waitHandle();
  assert.equal(await slider.evaluate((e) => e.value), "30");
  await slider.focus();
  await v.press("ArrowLeft");
  assert.equal(await v.value("Lifetime: Roots"), "29y");
  await v.choose("Distribution", "RKE2");
  await v.choose("Where the root comes from", "Root stays offline");
  await v.sees("First a request goes out.", "What will be made");
});

story("what cannot be is said beside its field, and the button leads there", { on: cross }, async (v) => {
  await v.fill("Lifetime: Five CAs", "forever");
  await v.hears("The plan cannot be made yet. To correct: 1");
  assert.equal(await v.value("Lifetime: Five CAs", "aria-invalid"), "true");
  await v.click("button", "Go to the field");
  await v.focused("[aria-label='Lifetime: Five CAs']");
  await v.sees("This is the last plan that held together", "What will be made");
  await v.fill("Cluster name", "Prod!");
  await v.hears("To correct: 2");
  await v.click("button", "Make bundle");
  await v.focused("[role=alert]");
  await v.fill("Lifetime: Five CAs", "");
  await v.fill("Cluster name", "prod");
  await make(v);
  judgeServer(await save(v, "server"));
});

story("name constraints, an issue time and a kept service key", { on: cross }, async (v) => {
  const old = join(v.folder, "service.key");
  openssl("genrsa", "-out", old, "2048");
  await v.unfold("Keep an existing service.key");
  await v.attach("Choose file", "Keep an existing service.key", old);
  await v.unfold("More: profile, name constraints, issue time");
  await v.fill("Names that the server CA may certify", "example.internal");
  await v.fill("Address ranges that it may certify", "10.0.0.0/8");
  const today = `${new Date().toISOString().slice(0, 10)}T00:00:00Z`;
  await v.fill("Issue time", today);
  await make(v);
  const folder = judgeServer(await save(v, "server"));
  const [ca] = certificates(join(folder, "tls/server-ca.crt"));
  const text = openssl("x509", "-in", ca, "-noout", "-text");
  assert.match(text, /X509v3 Name Constraints: critical\s+Permitted:[\s\S]*DNS:example\.internal[\s\S]*IP:10\.0\.0\.0\/255\.0\.0\.0/);
  assert.equal(Date.parse(openssl("x509", "-in", ca, "-noout", "-startdate").trim().slice(10)), Date.parse(today) - 3600_000);
  const keys = readFileSync(join(folder, "tls/service.key"), "utf8");
  assert.equal(keys.match(/BEGIN [A-Z ]*PRIVATE KEY/g).length, 2, "the new key, and the old one behind it");
  const kept = join(v.folder, "kept.key");
  run("sh", ["-c", `csplit -s -f '${v.folder}/k-' '${join(folder, "tls/service.key")}' '/BEGIN/' '{1}' && mv '${v.folder}/k-02' '${kept}'`]);
  assert.equal(openssl("pkey", "-in", kept, "-pubout"), openssl("pkey", "-in", old, "-pubout"));
});

story("the copied command makes the very plan that is shown", {}, async (v) => {
  const first = await planned(v);
  await v.choose("Topology", "Shared root");
  await v.fill("Cluster name", "lab");
  await v.fill("Organization", "Example & Söhne's \"Ltd\"");
  await v.fill("Lifetime: Five CAs", "5y");
  await v.select("Algorithm: Five CAs", "P-384");
  await v.unfold("More: profile, name constraints, issue time");
  await v.fill("Names that the server CA may certify", "example.internal cluster.example");
  await v.fill("Issue time", "2026-11-22T20:00:00Z");
  const digest = await planned(v, first);
  await v.click("button", "Copy command");
  await v.hears("Copied");
  const command = (await v.paste()).trim();
  assert.match(command, /^rootkiln bundle /);
  // As typed, by a shell; with --dry-run it shows the plan instead of making keys.
  const shown = run("sh", ["-c", `${command.replace(/^rootkiln bundle/, '"$PROGRAM" --lang en bundle --dry-run')}`], { cwd: v.folder, env: { ...process.env, PROGRAM: program } });
  assert.equal(hex(shown.split("Plan digest (SHA-256)")[1]), digest);
});

story("a copied plan is the command line's plan, and loads again", { on: cross }, async (v) => {
  const first = await planned(v);
  await v.choose("Distribution", "RKE2");
  await v.fill("Cluster name", "lab");
  await v.fill("Lifetime: Roots", "25y");
  await v.select("Algorithm: Intermediate", "P-256");
  await v.unfold("More: profile, name constraints, issue time");
  await v.fill("Issue time", "2026-11-22T20:00:00Z");
  const digest = await planned(v, first);
  await v.click("button", "Copy plan");
  await v.hears("Copied");
  const copied = await v.paste();
  const file = await v.download(() => v.click("button", "Download plan"));
  assert.equal(readFileSync(file, "utf8").trim(), copied.trim());
  assert.equal(hex(rootkiln("plan", "-f", file).split("Plan digest (SHA-256)")[1]), digest);

  const later = await v.another();
  const other = await planned(later);
  const [chooser] = await Promise.all([later.page.waitForFileChooser(), later.click("button", "Load plan")]);
  await chooser.accept([file]);
  await later.hears("The plan is loaded.");
  assert.equal(await planned(later, other), digest);
  assert.equal(await later.value("Cluster name"), "lab");
  await make(later);
  assert.equal((await receipt(later)).digest, digest);
  judgeOffline(await save(later, "offline"), isolatedKeys);
});
