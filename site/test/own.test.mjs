// Make with a root or an intermediate that a person has already.

import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cross, story } from "./harness.mjs";
import { make, receipt, save } from "./making.mjs";
import { certificates, fingerprint, judgeOffline, judgeServer, openssl, ownRoot, rootkiln } from "./tools.mjs";

/** Domains that get new roots even where the root is one's own. */
const others = ["client-root", "request-header-root", "etcd-peer-root", "etcd-server-root"];

/** opensslRoot is a root as OpenSSL alone makes one: RSA, PKCS#8, not our names. */
function opensslRoot(folder, name, ...more) {
  const [crt, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", crt, "-subj", `/O=Example/CN=${name}`, "-days", "9000",
    "-addext", "keyUsage=critical,keyCertSign,cRLSign", ...more);
  return { crt, key };
}

story("own root with its key, dropped together onto one field", {}, async (v) => {
  const own = opensslRoot(v.folder, "company");
  await v.choose("Where the root comes from", "Own root, with its key");
  await v.drop("[aria-label='Root certificate'] .drop", own.key, own.crt);
  await v.sees("company.crt", "Root certificate");
  await v.sees("company.key", "Root key");
  await make(v);
  const { root } = await receipt(v);
  const folder = judgeServer(await save(v, "server"));
  assert.equal(root, fingerprint(own.crt));
  assert.equal(fingerprint(certificates(join(folder, "tls/server-ca.crt")).at(-1)), fingerprint(own.crt));
  const safe = judgeOffline(await save(v, "offline"), ["intermediate-ca", ...others]);
  assert.equal(existsSync(join(safe, "root-ca.key")), false, "a key that was read is not handed out again");
});

story("own root whose key is encrypted, in the shared topology", {}, async (v) => {
  const own = ownRoot(v.folder);
  const sealed = join(v.folder, "sealed.key");
  openssl("pkcs8", "-topk8", "-in", own.key, "-out", sealed, "-v2", "aes-256-cbc", "-passout", "pass:open sesame");
  await v.choose("Where the root comes from", "Own root, with its key");
  await v.choose("Topology", "Shared root");
  await v.attach("Choose file", "Root certificate", own.crt);
  await v.sees("root-ca.crt", "Root certificate");
  await v.attach("Choose file", "Root key", sealed);
  await v.sees("sealed.key opens with a passphrase.", "An encrypted file");
  await v.fill("Passphrase", "wrong");
  await v.click("button", "OK", "An encrypted file");
  await v.hears("passphrase");
  await v.page.waitForFunction(() => document.querySelector("dialog .field-error")?.textContent !== "" && document.querySelector("dialog input")?.value === "", { polling: 50 });
  await v.fill("Passphrase", "open sesame");
  await v.click("button", "OK", "An encrypted file");
  await make(v);
  const { root } = await receipt(v);
  judgeServer(await save(v, "server"), ["shared-trust"]);
  judgeOffline(await save(v, "offline"), ["intermediate-ca"]);
  assert.equal(root, fingerprint(own.crt));
});

story("own intermediate with its key", { on: cross }, async (v) => {
  const own = ownRoot(v.folder), dir = join(v.folder, "middle");
  rootkiln("intermediate", "--root", own.crt, "--root-key", own.key, "--out", dir);
  await v.choose("Where the root comes from", "Own intermediate, with its key");
  await v.attach("Choose file", "Intermediate certificate", join(dir, "intermediate-ca.crt"), join(dir, "intermediate-ca.key"));
  await v.sees("intermediate-ca.key", "Intermediate key");
  await v.choose("Topology", "Shared root");
  await make(v);
  const { root } = await receipt(v);
  await v.sees("No key was made that belongs into a safe", "Two archives");
  const folder = judgeServer(await save(v, "server"), ["shared-trust"]);
  const chain = certificates(join(folder, "tls/server-ca.crt"));
  assert.equal(root, fingerprint(own.crt));
  assert.equal(fingerprint(chain[1]), fingerprint(join(dir, "intermediate-ca.crt")));
});

/** What a person takes for a root by mistake, and what the page has to say. */
const mistakes = {
  "the key of another root": {
    files: (folder) => [opensslRoot(folder, "one").crt, opensslRoot(folder, "two").key],
    words: "the private key does not belong to the certificate",
  },
  "a root that has ended": {
    files: (folder) => {
      rootkiln("root", "--now", "2010-01-01", "--root-validity", "10y", "--out", join(folder, "old"));
      return [join(folder, "old/root-ca.crt"), join(folder, "old/root-ca.key")];
    },
    words: "ended",
  },
  "a certificate that is no CA": {
    files: (folder) => {
      const own = opensslRoot(folder, "leaf", "-addext", "basicConstraints=critical,CA:FALSE");
      return [own.crt, own.key];
    },
    words: "is not a CA certificate",
  },
  "a text that is no certificate": {
    files: (folder) => {
      writeFileSync(join(folder, "notes.txt"), "buy milk\n");
      return [join(folder, "notes.txt"), opensslRoot(folder, "root").key];
    },
    words: "notes.txt",
  },
};

for (const [what, { files, words }] of Object.entries(mistakes)) {
  // One ground: the words are the engine's, which is the same everywhere.
  story(`${what} as own root gives words and makes nothing`, { on: /chromium-file/ }, async (v) => {
    const [crt, key] = files(v.folder);
    await v.choose("Where the root comes from", "Own root, with its key");
    await v.attach("Choose file", "Root certificate", crt);
    await v.attach("Choose file", "Root key", key);
    await v.sees("The plan needs a correction first: see above.");
    await v.hears(words);
    await v.click("button", "Make bundle");
    await v.focused("[role=alert]");
    await v.sees("The plan needs a correction first: see above.");
  });
}
