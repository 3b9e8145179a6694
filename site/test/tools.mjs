// Programs that judge what the page gave away: what a page says of itself proves
// nothing. They are OpenSSL, tar, age and our own command line.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { rootkiln as program } from "./harness.mjs";

/** run gives what a program printed; its complaint is in the error. */
export function run(command, args, options = {}) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
}

export const openssl = (...args) => run("openssl", args);
export const rootkiln = (...args) => run(program, ["--lang", "en", ...args]);

/** judged is what a command says that ends with 3 where something is wrong. */
function judged(command, args, form) {
  const { stdout, stderr, status } = spawnSync(program, ["--lang", "en", command, ...args, "--output", form], { encoding: "utf8" });
  assert.ok(status === 0 || status === 3, stderr);
  return stdout;
}
export const report = (command, ...args) => JSON.parse(judged(command, args, "json"));
/** wide is the same for people, nothing left out; the page shows what stands in backticks as code. */
export const wide = (command, ...args) => judged(command, args, "wide").replaceAll("`", "");

export const lines = (text) => text.split("\n").filter(Boolean);

/** hex is a fingerprint without the blanks and colons that each program has its own of. */
export const hex = (text) => text.replace(/^.*=/, "").replace(/[:\s]/g, "").toLowerCase();
export const fingerprint = (crt) => hex(openssl("x509", "-in", crt, "-noout", "-fingerprint", "-sha256"));
export const subject = (crt) => openssl("x509", "-in", crt, "-noout", "-subject", "-nameopt", "RFC2253").trim().replace(/^subject=/, "");
export const issuer = (crt) => openssl("x509", "-in", crt, "-noout", "-issuer", "-nameopt", "RFC2253").trim().replace(/^issuer=/, "");

/** unpack takes an archive apart with tar, modes and all, and returns its folder. */
export function unpack(archive) {
  const to = mkdtempSync(`${archive}-unpacked-`);
  run("tar", ["-xpf", archive, "-C", to]);
  return to;
}

/** sealKey puts a private key under a passphrase, as OpenSSL does it. */
export function sealKey(key, to, passphrase) {
  const pem = openssl("pkcs8", "-topk8", "-in", key, "-v2", "aes-256-cbc", "-passout", `pass:${passphrase}`);
  writeFileSync(to, pem);
  return to;
}

/** unsealed opens an archive with age, which asks for a passphrase on a terminal alone; script(1) is one. */
export function unsealed(archive, passphrase) {
  const plain = archive.replace(/\.age$/, "");
  run("script", ["-qec", `age -d -o '${plain}' '${archive}'`, "/dev/null"], { input: `${passphrase}\n`, stdio: ["pipe", "pipe", "pipe"] });
  return plain;
}

/** tlsOf is an archive of a server as a folder NAME beside it, as on the server's disk. */
export function tlsOf(archive, name) {
  const to = join(dirname(archive), name);
  mkdirSync(to);
  run("tar", ["-xpf", archive, "-C", to]);
  return to;
}

/** pack makes an archive of such a folder, beside it. */
export function pack(dir) {
  run("tar", ["-czf", `${dir}.tar.gz`, "-C", dir, "."]);
  return `${dir}.tar.gz`;
}

/** certificates cuts a file of PEM into files of one each, beside it. */
export function certificates(file) {
  return readFileSync(file, "utf8").split(/(?<=-----END CERTIFICATE-----\n)/).map((pem, i) => {
    writeFileSync(`${file}.${i}`, pem);
    return `${file}.${i}`;
  });
}

/** The CAs of a server, and the ten certificates and keys and one key that it reads. */
export const authorities = ["server-ca", "client-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca"];
const serverFiles = ["tls/service.key", ...authorities.flatMap((ca) => [`tls/${ca}.crt`, `tls/${ca}.key`])].sort();

/** table is what tar says of an archive: mode, owner and path, folders left out. */
function table(archive) {
  return lines(run("tar", ["--numeric-owner", "-tvf", archive])).map((l) => l.split(/\s+/))
    .map(([mode, owner, , , , path]) => ({ mode, owner, path }));
}

const isPair = (crt, key) => assert.equal(openssl("x509", "-in", crt, "-noout", "-pubkey"), openssl("pkey", "-in", key, "-pubout"), `${basename(key)} belongs to ${basename(crt)}`);

/** chain is what OpenSSL says of the first certificate of a file, with what else is in it, under one root. */
export const chain = (crt, root) => openssl("verify", "-x509_strict", "-purpose", "any", "-CAfile", root, "-untrusted", crt, crt);

/**
 * judgeServer takes the server archive as a server would: owners and modes, every
 * chain up to its last certificate (or what rootOf gives for a CA) and every key by
 * OpenSSL, then our own verdict, which has no warnings but those that the plan asked
 * for. It returns where it was unpacked to.
 */
export function judgeServer(archive, warnings = [], rootOf = (ca, crt) => certificates(crt).at(-1)) {
  const files = table(archive);
  assert.deepEqual(files.filter((f) => !f.path.endsWith("/")).map((f) => f.path).sort(), serverFiles);
  for (const f of files) {
    const want = f.path.endsWith("/") ? "drwx------" : f.path.endsWith(".key") ? "-rw-------" : "-rw-r--r--";
    assert.deepEqual([f.mode, f.owner], [want, "0/0"], f.path);
  }
  const folder = unpack(archive);
  for (const ca of authorities) {
    const crt = join(folder, "tls", `${ca}.crt`);
    assert.match(chain(crt, rootOf(ca, crt)), /: OK\n$/);
    isPair(crt, join(folder, "tls", `${ca}.key`));
  }
  assert.match(openssl("pkey", "-in", join(folder, "tls/service.key"), "-check", "-noout"), /valid/);
  const { findings } = JSON.parse(rootkiln("verify", archive, "--output", "json")); // it ends with 3 if unsound
  assert.deepEqual(findings.filter((f) => f.severity !== "notice").map((f) => f.code), warnings);
  return folder;
}

/** judgeOffline sees that every certificate for the safe has its key and fingerprint there. */
export function judgeOffline(archive, keys) {
  for (const f of table(archive)) assert.equal(f.mode, f.path.endsWith(".key") ? "-rw-------" : "-rw-r--r--", f.path);
  const folder = unpack(archive);
  const found = readdirSync(folder).filter((f) => f.endsWith(".key")).map((f) => f.replace(".key", "")).sort();
  assert.deepEqual(found, [...keys].sort());
  const known = readFileSync(join(folder, "fingerprints.txt"), "utf8");
  for (const name of found) {
    const crt = join(folder, `${name}.crt`);
    isPair(crt, join(folder, `${name}.key`));
    assert.ok(known.includes(fingerprint(crt)), `${name} is in fingerprints.txt`);
  }
  return folder;
}

/** What a new isolated bundle has for the safe. */
export const isolatedKeys = ["root-ca", "intermediate-ca", "client-root", "request-header-root", "etcd-peer-root", "etcd-server-root"];

/** ownRoot makes a root as a person has one: by our command line, or by OpenSSL alone. */
export function ownRoot(folder, name = "own") {
  const dir = join(folder, name);
  rootkiln("root", "--out", dir);
  assert.ok(existsSync(join(dir, "root-ca.key")));
  return { dir, crt: join(dir, "root-ca.crt"), key: join(dir, "root-ca.key") };
}

/** bundle makes NAME.tar.gz and its offline part by our command line; an EC service key, as an RSA one takes its time. */
export function bundle(folder, name, ...flags) {
  const server = join(folder, `${name}.tar.gz`);
  rootkiln("bundle", "--service-alg", "p256", "--out", server, ...flags);
  return { server, offline: join(folder, readdirSync(folder).find((f) => f.startsWith(`${name}-offline.`))) };
}

export const sizeOf = (path) => statSync(path).size;
