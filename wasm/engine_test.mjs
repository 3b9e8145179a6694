// The built engine, driven as a page drives it. `go test ./wasm` builds it and runs
// this with ENGINE and WASM_EXEC set.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

const { ENGINE, WASM_EXEC } = process.env;
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "rootkiln-engine-"));
const quick = { keys: { service: "p256" } };
const set = (first, count, more) => ({ label: "given", first, count, ...more });
const copy = (f) => ({ ...f, data: f.data.slice() });

before(async () => {
  createRequire(import.meta.url)(WASM_EXEC);
  await start();
});

after(() => {
  fs.rmSync(dir, { recursive: true });
  setImmediate(() => process.exit()); // Go never ends by itself
});

async function start() {
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(ENGINE), go.importObject);
  void go.run(instance);
  assert.equal(globalThis.rootkiln.api, 1);
}

/** call hands over copies, as a page does, and reads the value. */
async function call(method, params, files = [], progress = undefined) {
  const { value, files: out } = await globalThis.rootkiln.call(method,
    JSON.stringify({ lang: "en", now: new Date().toISOString(), ...params }), files.map(copy), progress);
  return { value: JSON.parse(value), files: out };
}

async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return JSON.parse(error.message);
  }
  assert.fail("it went well");
}

/** unpack writes an archive out and returns its directory. */
function unpack(file) {
  const to = fs.mkdtempSync(path.join(dir, "a-"));
  execFileSync("tar", ["-xzf", "-", "-C", to], { input: file.data });
  return to;
}

const openssl = (...args) => execFileSync("openssl", args, { stdio: ["ignore", "pipe", "pipe"] }).toString();

test("makes a bundle that OpenSSL verifies", async () => {
  const steps = [];
  const { value, files } = await call("make", { plan: { topology: "shared", keys: { root: "rsa2048", intermediate: "p521", service: "rsa2048" } } }, [], (s) => steps.push(JSON.parse(s)));
  assert.deepEqual(files.map((f) => f.name), ["tls.tar.gz", "tls-offline.tar.gz"]);
  assert.equal(files[0].mode, 0o600);
  const at = unpack(files[0]);
  for (const ca of ["server-ca", "client-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca"]) {
    const chain = path.join(at, "tls", `${ca}.crt`);
    assert.match(openssl("verify", "-x509_strict", "-CAfile", chain, "-untrusted", chain, chain), /OK/);
    const key = openssl("pkey", "-in", path.join(at, "tls", `${ca}.key`), "-pubout");
    assert.equal(key, openssl("x509", "-in", chain, "-noout", "-pubkey"));
  }
  openssl("rsa", "-in", path.join(at, "tls/service.key"), "-check", "-noout");
  openssl("rsa", "-in", path.join(unpack(files[1]), "root-ca.key"), "-check", "-noout");
  const root = openssl("x509", "-in", path.join(unpack(files[1]), "root-ca.crt"), "-noout", "-fingerprint", "-sha256");
  assert.equal(root.trim().split("=")[1].replaceAll(":", "").toLowerCase(), value.rootSHA256);
  assert.equal(steps.filter((s) => s.phase === "done").length, 8);
  assert.ok(steps.some((s) => s.phase === "start" && s.key === "rsa2048"));

  const verdict = (await call("verify", { set: set(0, 1) }, [files[0]])).value;
  assert.equal(verdict.token.token, value.token);
  assert.equal(verdict.probes.go.failed + verdict.probes.path.failed, 0);
});

test("inspects, verifies, checks and compares what was dropped", async () => {
  const { files } = await call("make", { plan: quick });
  const seen = (await call("inspect", { set: set(0, 2) }, files)).value;
  assert.equal(seen.certificates.length, 11);
  assert.equal(seen.keys.length, 12);
  assert.ok(!JSON.stringify(seen).includes("PRIVATE KEY-----"));
  assert.equal((await call("check", { set: set(0, 1), at: "2099-01-01T00:00:00Z" }, [files[0]])).value.alarm, true);
  assert.equal((await call("compare", { sets: [set(0, 1, { label: "a" }), set(1, 1, { label: "b" })] }, [files[0], files[0]])).value.equal, true);
  assert.ok((await call("qr", { text: "rootkiln" })).value.path.startsWith("M"));
  const exported = await call("export", { set: set(0, 1), format: "cloud-init" }, [files[0]]);
  assert.match(Buffer.from(exported.files[0].data).toString(), /^#cloud-config/);
});

test("rotates, with a sealed offline part", async () => {
  const made = await call("make", { plan: quick, sealPassphrase: "correct horse" });
  assert.equal(made.files[1].name, "tls-offline.tar.gz.age");
  const params = (passphrase) => ({ now: new Date(Date.now() + 5000).toISOString(), old: set(0, 1), held: [set(1, 1, { passphrase })] });
  const refused = await failure(call("rotate", params("wrong"), made.files));
  assert.equal(refused.kind, "passphrase");
  assert.equal(refused.file, "tls-offline.tar.gz.age");
  const { value, files } = await call("rotate", params("correct horse"), made.files);
  assert.equal(value.against.ruling.saved, true);
  const verdict = (await call("verify", { set: set(0, 1), against: set(1, 1) }, [files[0], made.files[0]])).value;
  assert.equal(verdict.against.tokenKept, true);
});

test("signs between two rooms", async () => {
  const safe = unpack((await call("make", { plan: { ...quick, topology: "shared" } })).files[1]);
  const read = (name) => ({ name, data: new Uint8Array(fs.readFileSync(path.join(safe, name))) });
  const asked = await call("request", { plan: { ...quick, topology: "shared" } });
  openssl("req", "-verify", "-noout", "-in", write("i.csr", asked.files[0].data));
  const signed = await call("sign", { plan: "plan.json", request: "intermediate.csr", issuer: "root-ca.crt", key: "root-ca.key" },
    [...asked.files.slice(0, 2), read("root-ca.crt"), read("root-ca.key")]);
  assert.equal(signed.value.publicKeySHA256, asked.value.requests[0].publicKeySHA256);
  const done = await call("resume", { state: "state.json", signed: ["intermediate.crt"] }, [asked.files[2], ...signed.files]);
  assert.equal(done.value.rootSHA256, signed.value.rootSHA256);
  const chain = path.join(unpack(done.files[0]), "tls/server-ca.crt");
  assert.match(openssl("verify", "-x509_strict", "-CAfile", path.join(safe, "root-ca.crt"), "-untrusted", chain, chain), /OK/);
});

function write(name, data) {
  const to = path.join(dir, name);
  fs.writeFileSync(to, data);
  return to;
}

test("refuses in the language of the call, and what is no call", async () => {
  const f = await failure(call("plan", { lang: "zh", plan: { name: "No Name" } }));
  assert.equal(f.kind, "refused");
  assert.match(f.message, /\p{Script=Han}/u);
  assert.equal(f.findings[0].code, "plan-name");
  for (const args of [[], ["plan"], ["plan", "{"], ["plan", "{}", [{}]], ["plan", "{}", [{ name: "x", data: "text" }]], ["plan", "{}", 7], [1, 2, 3, 4]]) {
    assert.equal((await failure(globalThis.rootkiln.call(...args))).kind, "usage", JSON.stringify(args));
  }
  // It is still there.
  assert.equal((await call("version", {})).value.api, 1);
});

test("overwrites what it was handed", async () => {
  const data = new TextEncoder().encode("-----BEGIN EC PRIVATE KEY-----\n");
  await failure(globalThis.rootkiln.call("inspect", "{}", [{ name: "a.key", data, mode: 0o600, time: "2026-11-23T00:00:00Z" }]));
  assert.ok(data.every((b) => b === 0));
});

test("makes its own RSA keys where there is no WebCrypto, and refuses one that is broken", async () => {
  const real = globalThis.crypto;
  const subtle = Object.getPrototypeOf(real.subtle);
  const { exportKey, generateKey } = subtle;
  try {
    // A key with another exponent is refused by the core's own check.
    subtle.generateKey = function (algorithm, ...rest) {
      return generateKey.call(this, { ...algorithm, publicExponent: new Uint8Array([3]) }, ...rest);
    };
    assert.equal((await failure(call("make", { plan: { keys: { service: "rsa2048" } } }))).findings[0].code, "key-weak");
    // So is one that is no key, and an error of the browser ends the call.
    subtle.generateKey = generateKey;
    subtle.exportKey = async () => new ArrayBuffer(100);
    assert.equal((await failure(call("make", { plan: {} }))).kind, "failed");
    subtle.exportKey = async () => { throw new DOMException("the text of it", "NotSupportedError"); };
    const f = await failure(call("make", { plan: {} }));
    assert.match(f.message, /NotSupportedError/);
    assert.doesNotMatch(f.message, /the text of it/);
  } finally {
    Object.assign(subtle, { exportKey, generateKey });
  }
  const kept = globalThis.rootkiln;
  Object.defineProperty(globalThis, "crypto", { configurable: true, value: { getRandomValues: (b) => real.getRandomValues(b) } });
  try {
    await start();
    const { value } = await call("make", { plan: { topology: "shared", keys: { service: "rsa2048" } } });
    assert.equal(value.topology, "shared");
  } finally {
    Object.defineProperty(globalThis, "crypto", { configurable: true, value: real });
    globalThis.rootkiln = kept;
  }
});
