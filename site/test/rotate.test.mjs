// Rotate: what follows the files of a running cluster is made on the page, and
// OpenSSL and our command line have to take it, every step of the way.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { story } from "./harness.mjs";
import { answer, commandsOf, inspect, rotate, sameRuling, saveNext, view, word } from "./making.mjs";
import {
  authorities, bundle, certificates, chain, fingerprint, isolatedKeys, issuer, judgeOffline, judgeServer, openssl, rootkiln,
  sealKey, subject, tlsOf, unpack, unsealed,
} from "./tools.mjs";

/** The file of a CA in a server's folder, and its root there: the last certificate before any rotation. */
const crtOf = (dir, ca) => join(dir, "tls", `${ca}.crt`);
const rootsOf = (dir) => Object.fromEntries(authorities.map((ca) => [ca, certificates(crtOf(dir, ca)).at(-1)]));
/** The root over each CA as the offline part has it. */
const offlineRoots = {
  "server-ca": "root-ca", "client-ca": "client-root", "request-header-ca": "request-header-root",
  "etcd/peer-ca": "etcd-peer-root", "etcd/server-ca": "etcd-server-root",
};
const rootsIn = (safe) => Object.fromEntries(authorities.map((ca) => [ca, join(safe, `${offlineRoots[ca]}.crt`)]));

/** trusted are the roots in a file: what OpenSSL's verifier takes for the end of a chain. */
const trusted = (crt) => certificates(crt).filter((c) => issuer(c) === subject(c)).map(fingerprint);

const publicKey = (crt) => openssl("x509", "-in", crt, "-noout", "-pubkey");

/** tokens compares what the page says of the join token with our command line. */
async function tokens(v, next, old) {
  for (const archive of [next, old]) await v.sees(rootkiln("token", archive).trim(), "Join token");
}

/** sameSteps compares what to do, and what changes, with what our command line says of the same rotation. */
async function sameSteps(v, next, ...args) {
  const beside = join(mkdtempSync(join(v.folder, "native-")), basename(next));
  const paths = new RegExp(`${v.folder}/\\S*/`, "g"); // the page has names alone
  const { steps, change, changed, kept, roots } = JSON.parse(rootkiln("rotate", ...args, "--out", beside, "--output", "json"));
  assert.deepEqual(await v.texts(".inspect .steps pre"), commandsOf(steps).map((c) => c.replaceAll(paths, "")));
  const names = (roles) => roles.map((r) => word("inspect.role", r)).join(", ");
  const facts = Object.entries({ change: word("rotate.change", change), changed: names(changed), kept: names(kept), roots: names(roots) });
  for (const [key, value] of facts) if (value) await v.sees(`${word("rotate", key)} ${value}`);
}

story("new CAs under the same roots, with the offline part of the bundle", {}, async (v) => {
  const { server, offline } = bundle(v.folder, "tls");
  const old = tlsOf(server, "server"), roots = rootsOf(old);
  await inspect(v, join(old, "tls"));
  await rotate(v, { keys: [offline] });
  await v.shot("rotated");
  const next = await saveNext(v, "server");
  await sameSteps(v, next, server, "--inputs", offline);
  assert.equal(await sameRuling(v, next, old), "accepted");
  await tokens(v, next, server);
  await v.sees("the offline part that you have stays the right one", "Downloads");

  const folder = judgeServer(next, [], (ca) => roots[ca]);
  for (const ca of authorities) {
    assert.notEqual(publicKey(crtOf(folder, ca)), publicKey(crtOf(old, ca)), `${ca} has a new key`);
  }
});

/** called gives a download another name: the page calls every next bundle next.tar.gz. */
function called(name, path) {
  renameSync(path, join(dirname(path), name));
  return join(dirname(path), name);
}

story("new roots in steps a, b and c, each from what the one before gave", {}, async (v) => {
  const { server, offline } = bundle(v.folder, "tls");
  const before = rootsOf(unpack(server));

  /** step makes one and has it judged. */
  const step = async (letter, old, keys, flags = []) => {
    await inspect(v, old);
    await rotate(v, { keys: [keys], way: "New roots", step: `Step ${letter}` });
    const next = await saveNext(v, "server");
    await sameSteps(v, next, old, "--inputs", keys, "--step", letter, ...flags);
    const archive = called(`${letter}.tar.gz`, next);
    await sameRuling(v, archive, old);
    await tokens(v, archive, old);
    await v.shot(`rotated-${letter}`);
    return archive;
  };
  /** trust is what clients trust after a step, file by file; every chain leads there. */
  const trust = (archive, ...roots) => {
    for (const each of roots) judgeServer(archive, [], (ca) => each[ca]);
    const dir = unpack(archive);
    for (const ca of authorities) {
      assert.deepEqual(trusted(crtOf(dir, ca)).sort(), roots.map((each) => fingerprint(each[ca])).sort(), `${basename(archive)}: roots in ${ca}`);
    }
  };

  const a = await step("a", server, offline, ["--new-root"]);
  trust(a, before);
  const safe = await saveNext(v, "offline");
  const after = rootsIn(judgeOffline(safe, isolatedKeys));

  const b = await step("b", a, safe);
  trust(b, before, after);

  const c = await step("c", b, safe);
  trust(c, after);
  assert.throws(() => chain(crtOf(unpack(c), "server-ca"), before["server-ca"]), /unable to get|verification failed/, "nothing leads to the old root any more");

  const [t0, ta, tb, tc] = [server, a, b, c].map((archive) => rootkiln("token", archive));
  assert.deepEqual([ta === t0, tb === ta, tc === tb], [true, false, true], "the token changes with step b alone");
});

story("a key that is encrypted asks for its passphrase: called off, wrong, and right", {}, async (v) => {
  const { server, offline } = bundle(v.folder, "tls");
  const safe = tlsOf(offline, "safe"), roots = rootsOf(unpack(server));
  const key = join(safe, "intermediate-ca.key");
  sealKey(key, key, "open sesame");
  await inspect(v, server);
  await rotate(v, { keys: [safe] }, async () => {
    await v.sees("safe/intermediate-ca.key wants its passphrase", "Encrypted");
    await v.click("button", "Cancel", "Encrypted");
    await v.hears("This cannot be made");
    await v.click("button", "Make the next bundle");
    await answer(v, "Encrypted", "open barley");
    await v.sees("the passphrase does not open the private key", "Encrypted");
    await answer(v, "Encrypted", "open sesame");
  });
  const next = await saveNext(v, "server");
  assert.equal(await sameRuling(v, next, server), "accepted");
  const dir = judgeServer(next, [], (ca) => roots[ca]);
  assert.notEqual(publicKey(crtOf(dir, "server-ca")), publicKey(crtOf(unpack(server), "server-ca")), "the CA under that key is a new one");
});

story("a sealed offline part goes in, a sealed one comes out", {}, async (v) => {
  const secret = join(v.folder, "passphrase");
  writeFileSync(secret, "open sesame\n");
  const { server, offline } = bundle(v.folder, "tls", "--passphrase-file", secret);
  await inspect(v, server);
  await view(v, "Rotate");
  await v.choose("How new root keys are closed", "Passphrase");
  await rotate(v, { keys: [offline], way: "New roots" }, async () => {
    await answer(v, "Passphrase for the offline part", "new words", true);
    await answer(v, "Encrypted", "open sesame");
  });
  const next = await saveNext(v, "server"), safe = await saveNext(v, "offline");
  assert.equal(await sameRuling(v, next, server), "acceptedWarned", "the token changes at once");
  assert.match(readFileSync(safe, "latin1"), /^age-encryption\.org/);
  judgeOffline(unsealed(safe, "new words"), isolatedKeys);
  const before = rootsOf(unpack(server));
  judgeServer(next, [], (ca) => before[ca]);
});
