// Inspect: what our command line made or broke is dropped on the page, which has to
// say what OpenSSL and our command line say.

import assert from "node:assert/strict";
import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { story } from "./harness.mjs";
import { answer, commandsOf, inspect, sameFindings, sameRuling, sentence, verdictOf, view, word } from "./making.mjs";
import {
  authorities, bundle, certificates, fingerprint, lines, openssl, ownRoot, pack, report, rootkiln, run, sealKey, subject,
  tlsOf, unpack,
} from "./tools.mjs";

/** keyPrint is the fingerprint of the key of a certificate. */
const keyPrint = (crt) => run("sh", ["-c", 'openssl x509 -in "$0" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum', crt]).slice(0, 64);

/** fingerprints opens every certificate of the table and reads its fingerprint and that of its key. */
async function fingerprints(v) {
  for (const opener of await v.page.$$(".certificates .opener")) await opener.click();
  return v.page.$$eval(".certificates .detail", (all) => all.map((d) => [...d.querySelectorAll(".fingerprint")].map((f) => f.textContent.replace(/\s/g, ""))));
}

story("a bundle of the command line: verdict, token, every certificate with its fingerprints", {}, async (v) => {
  const { server } = bundle(v.folder, "edge-01", "--name", "edge-01");
  const tls = join(tlsOf(server, "disk"), "tls");
  await inspect(v, server);
  const native = await sameFindings(v, "verify", server);
  assert.deepEqual(await v.texts(".inspect .verdict"), [verdictOf(native)]);
  await v.sees(rootkiln("token", server).trim(), "Join token");
  await v.sees(`${native.nextExpiry.end.slice(0, 10)} · ${native.nextExpiry.name}`);
  await v.shot("inspect");

  const expected = new Map(authorities.flatMap((ca) => certificates(join(tls, `${ca}.crt`))).map((crt) => [fingerprint(crt), keyPrint(crt)]));
  await view(v, "Certificates");
  assert.deepEqual(new Map(await fingerprints(v)), expected);

  const keys = await v.rows(`${authorities.length + 1} private keys`);
  const owner = (ca) => openssl("x509", "-in", join(tls, `${ca}.crt`), "-noout", "-subject", "-nameopt", "multiline").match(/commonName += (.*)/)[1];
  assert.deepEqual(Object.fromEntries(keys.map(([place, , belongs]) => [place, belongs])),
    { ...Object.fromEntries(authorities.map((ca) => [`tls/${ca}.key`, owner(ca)])), "tls/service.key": word("inspect.role", "service") });
  const page = await v.page.content();
  for (const [place] of keys) {
    assert.ok(!page.includes(readFileSync(join(tls, "..", place), "utf8").split("\n")[1]), `${place} is nowhere in the page`);
  }
});

/** What people do to a bundle, told apart by the code that has to be among what is found. */
const accidents = {
  "key-mismatch": (tls) => openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", join(tls, "client-ca.key")),
  "root-key-on-server": (tls, safe) => copyFileSync(join(safe, "root-ca.key"), join(tls, "root-ca.key")),
  "key-missing": (tls) => rmSync(join(tls, "etcd/peer-ca.key")),
  "chain-incomplete": (tls) => openssl("x509", "-in", join(tls, "server-ca.crt"), "-out", join(tls, "server-ca.crt")),
  "pem-truncated": (tls) => truncateSync(join(tls, "request-header-ca.crt"), 300),
  "key-encrypted": (tls) => sealKey(join(tls, "server-ca.key"), join(tls, "server-ca.key"), "open sesame"),
};

story("broken bundles: the same findings as the command line has", {}, async (v) => {
  const { server, offline } = bundle(v.folder, "good");
  const safe = unpack(offline);
  for (const [code, happens] of Object.entries(accidents)) {
    const dir = tlsOf(server, code);
    happens(join(dir, "tls"), safe);
    const broken = pack(dir);
    await inspect(v, broken);
    const native = await sameFindings(v, "verify", broken);
    assert.ok(native.findings.some((f) => f.code === code), `${code} is found`);
    assert.deepEqual(await v.texts(".inspect .verdict"), [verdictOf(native)]);
  }
  await v.shot("inspect-broken");
});

story("CAs that have ended: the same findings as the command line has, one by one", {}, async (v) => {
  const { server } = bundle(v.folder, "old", "--now", "2020-01-01", "--ca-validity", "2y");
  await inspect(v, server);
  const native = await sameFindings(v, "verify", server);
  assert.deepEqual(await v.texts(".inspect .verdict"), [verdictOf(native)]);
  const tls = join(unpack(server), "tls");
  const ended = authorities.filter((ca) => run("sh", ["-c", 'openssl x509 -in "$0" -noout -checkend 0 || true', join(tls, `${ca}.crt`)]).includes("will expire"));
  assert.deepEqual(native.findings.filter((f) => f.code === "expired").map((f) => f.subject).sort(), ended.map((ca) => `tls/${ca}.crt`).sort());
  await view(v, "Certificates");
  const states = (await v.rows("11 certificates")).filter((r) => r[4] === word("inspect", "expired"));
  assert.equal(states.length, ended.length);
});

/** The table of ends as the page has to write it: what lives on as it is named, in the order of their ends. */
const ends = ({ Certificates }) => Certificates.filter((c) => c.first && c.kind !== "backup")
  .sort((a, b) => Date.parse(a.notAfter) - Date.parse(b.notAfter))
  .map((c) => [c.index > 1 ? `${c.path}#${c.index}` : c.path, c.Subject, word("check.status", c.Status), c.notAfter.slice(0, 10),
    sentence("check.days", { n: c.daysLeft }), word("check.restart", c.restart), c.Issuer]);

/**
 * onDate waits for the answer for a day and compares it with that of the command
 * line, which takes the day for now; "" is now itself.
 */
async function onDate(v, server, day, within = "120d") {
  const args = [server, "--within", within, ...day ? ["--now", day] : []];
  const native = report("check", ...args);
  const of = (...states) => ends(native).filter((row) => states.map((s) => word("check.status", s)).includes(row[2])).length;
  await v.hears(sentence(native.alarm ? "check.alarm" : "check.quiet", { date: native.at.slice(0, 10),
    bad: of("EXPIRED", "NOT YET VALID"), soon: of("WARNING"), days: native.withinDays, fine: of("OK") }));
  assert.deepEqual(await v.rows(word("check", "table")), ends(native));
  await sameFindings(v, "check", ...args);
  assert.deepEqual(await v.texts(".inspect .steps pre"), commandsOf(native.remedies));
  return native;
}

/** dayAfter is the first whole day on which a certificate has ended, by OpenSSL. */
function dayAfter(crt, days = 1) {
  const end = openssl("x509", "-in", crt, "-noout", "-enddate", "-dateopt", "iso_8601").trim().replace("notAfter=", "").replace(" ", "T");
  return new Date(Date.parse(end) + days * 86_400_000).toISOString().slice(0, 10);
}

story("on a date behind the end of the CAs: what has ended, what ends soon, what mends it", {}, async (v) => {
  const { server } = bundle(v.folder, "short", "--ca-validity", "200d", "--intermediate-validity", "260d");
  const crt = join(unpack(server), "tls/server-ca.crt");
  await inspect(v, server);
  await view(v, "On a date");
  assert.equal((await onDate(v, server, "")).alarm, false, "today nothing has ended");

  await v.click("button", "After the next end");
  const ended = dayAfter(crt);
  assert.equal(await v.value("On"), ended, "the button knows the end that OpenSSL knows");
  const native = await onDate(v, server, ended);
  assert.deepEqual(native.Certificates.filter((c) => c.Status === "EXPIRED").map((c) => c.path).sort(), authorities.map((ca) => `tls/${ca}.crt`).sort());
  await v.shot("inspect-date");

  const later = dayAfter(certificates(crt)[1], 30); // the intermediate's
  await v.control("On").fill(later);
  await onDate(v, server, later);
  await v.select("Warn before an end", "1 year");
  await onDate(v, server, later, "1y");
});

/** The place in a view where more is dropped. */
const more = ".inspect [role=tabpanel] .inspect-drop";

story("against the files that run: accepted, refused, and the other way round", {}, async (v) => {
  const running = bundle(v.folder, "running"), foreign = bundle(v.folder, "foreign", "--topology", "shared");
  const next = join(v.folder, "next.tar.gz");
  rootkiln("rotate", running.server, "--inputs", running.offline, "--out", next);
  const old = tlsOf(running.server, "server");
  await inspect(v, join(old, "tls"));
  await view(v, "Replace");
  await v.attach("Choose the second bundle", undefined, next);
  assert.equal(await sameRuling(v, next, old), "accepted");

  await v.click("button", "Another second bundle");
  await v.drop(more, foreign.server);
  await v.sees("foreign.tar.gz", "Which of them runs now?");
  assert.equal(await sameRuling(v, foreign.server, old), "refused");
  await v.shot("inspect-against");
  await v.choose("Which of them runs now?", "foreign.tar.gz");
  assert.equal(await sameRuling(v, old, foreign.server), "refused");
});

/** The matrix as the page has to write it. */
const matrix = ({ files }) => files.map((f) => [f.path, ...f.cells.map((c) => word("compare.cell", c.state)
  + (c.certificate ? `${c.certificate} · ${c.time.slice(0, 10)}` : c.sha256 ? `${c.sha256.slice(0, 8)} · ${c.time.slice(0, 10)}` : ""))]);

async function sameComparison(v, ...args) {
  const native = report("compare", ...args);
  await v.hears(sentence(native.equal ? "compare.equal" : "compare.differ", { n: native.nodes.length }));
  assert.deepEqual(await v.rows(word("compare", "matrix")), matrix(native));
  await sameFindings(v, "compare", ...args);
  assert.deepEqual(await v.texts(".inspect .steps pre"), commandsOf(native.remedies));
  return native;
}

story("two servers side by side: one that a rotation did not reach, then both", {}, async (v) => {
  const { server, offline } = bundle(v.folder, "tls");
  const next = join(v.folder, "next.tar.gz");
  rootkiln("rotate", server, "--inputs", offline, "--only", "client-ca", "--out", next);
  const [n1, n2] = [tlsOf(server, "n1"), tlsOf(next, "n2")];
  await inspect(v, n1);
  await view(v, "Compare");
  await v.drop(more, n2);
  const native = await sameComparison(v, n1, n2);
  const differing = lines(run("sh", ["-c", 'diff -rq "$0/tls" "$1/tls" || true', n1, n2])).length;
  assert.equal(native.files.filter((f) => f.cells.some((c) => c.state !== "same")).length, differing, "as many files as diff finds");
  await v.shot("inspect-compare");

  await v.unfold("What rotate-ca was given");
  await v.attach("Choose it", undefined, next);
  await v.sees("next.tar.gz");
  await sameComparison(v, n1, n2, "--new", next);

  const cluster = join(v.folder, "cluster");
  run("sh", ["-c", 'mkdir "$0" && cp -pr "$1" "$0/n1" && cp -pr "$1" "$0/n2"', cluster, n2]);
  await inspect(v, cluster);
  await v.sees("Files of several servers");
  await v.click("button", "Compare them as nodes");
  assert.equal((await sameComparison(v, join(cluster, "n1"), join(cluster, "n2"))).equal, true);
});

story("an encrypted key by itself is told and left closed", {}, async (v) => {
  const own = ownRoot(v.folder);
  const sealed = sealKey(own.key, join(v.folder, "sealed.key"), "open sesame");
  await inspect(v, [own.crt, sealed]);
  assert.deepEqual(await v.texts(".inspect .findings p.code code"), report("inspect", own.crt, sealed).findings.map((f) => f.code));
  await v.sees("1 certificate, 1 private key");
  await view(v, "Certificates");
  assert.deepEqual(await v.rows("1 private key"), [["sealed.key", word("inspect", "keyClosed"), word("inspect", "keyAlone")]]);
  assert.equal((await v.rows("1 certificate"))[0][0], subject(own.crt).replace("CN=", ""));
});

story("a sealed offline part asks for its passphrase: called off, wrong, and right", {}, async (v) => {
  const secret = join(v.folder, "passphrase");
  writeFileSync(secret, "open sesame\n");
  const { server, offline } = bundle(v.folder, "tls", "--passphrase-file", secret);
  await inspect(v, offline, async () => {
    await v.sees(`${basename(offline)} wants its passphrase`, "Encrypted");
    await v.click("button", "Cancel", "Encrypted");
    await v.hears(`${basename(offline)} could not be opened`);
    await v.click("button", "Enter it");
    await answer(v, "Encrypted", "open barley");
    await v.sees("the passphrase does not open", "Encrypted");
    await answer(v, "Encrypted", "open sesame");
  });
  await view(v, "Certificates");
  const shown = new Map(await fingerprints(v));
  const tls = join(unpack(server), "tls");
  for (const ca of authorities) assert.ok(shown.has(fingerprint(certificates(join(tls, `${ca}.crt`)).at(-1))), `the root over ${ca} is in it`);
});
