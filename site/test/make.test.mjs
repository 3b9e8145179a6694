// Make, from one click to archives that programs of others accept.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cross, story } from "./harness.mjs";
import { make, receipt, save } from "./making.mjs";
import { certificates, fingerprint, isolatedKeys, judgeOffline, judgeServer, openssl, rootkiln, run, subject, unpack } from "./tools.mjs";

story("the default bundle in one click", {}, async (v) => {
  await make(v);
  const shown = await receipt(v);
  await v.shot("result");
  const server = await save(v, "server"), offline = await save(v, "offline");
  assert.deepEqual([basename(server), basename(offline)], ["tls.tar.gz", "tls-offline.tar.gz"]);
  const folder = judgeServer(server);
  const safe = judgeOffline(offline, isolatedKeys);
  assert.equal(shown.root, fingerprint(certificates(join(folder, "tls/server-ca.crt")).at(-1)));
  assert.equal(shown.root, fingerprint(join(safe, "root-ca.crt")));
  assert.equal(shown.token, rootkiln("token", server).trim());
  assert.equal(new Set(isolatedKeys.map((k) => fingerprint(join(safe, `${k}.crt`)))).size, 6, "five domains with roots of their own");
});

story("shared topology for RKE2, with a name and two organizations", { on: cross }, async (v) => {
  await v.choose("Distribution", "RKE2");
  await v.choose("Topology", "Shared root");
  await v.fill("Cluster name", "edge-01");
  await v.fill("Organization", "Example Ltd.\nPlatform");
  await make(v);
  const server = await save(v, "server"), offline = await save(v, "offline");
  assert.deepEqual([basename(server), basename(offline)], ["edge-01.tar.gz", "edge-01-offline.tar.gz"]);
  const folder = judgeServer(server, ["shared-trust"]);
  judgeOffline(offline, ["root-ca", "intermediate-ca"]);
  const roots = ["server-ca", "client-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca"].map((ca) => fingerprint(certificates(join(folder, `tls/${ca}.crt`)).at(-1)));
  assert.equal(new Set(roots).size, 1, "one root over all");
  assert.deepEqual(subject(join(folder, "tls/client-ca.crt")).replace(/@\d+/, "").split(/[,+]/).sort(),
    ["CN=rke2-client-ca", "O=Example Ltd.", "O=Platform", "OU=edge-01"]);
  await v.sees("/var/lib/rancher/rke2/server", "Next steps");
});

story("RSA-4096 and RSA-3072 keys, by WebCrypto", {}, async (v) => {
  await v.select("Algorithm: Roots", "RSA-4096");
  await v.sees("Some seconds here for each key.", "Life and keys");
  await v.select("Algorithm: Five CAs", "RSA-3072");
  await v.choose("Topology", "Shared root");
  await make(v);
  judgeServer(await save(v, "server"), ["shared-trust"]);
  const safe = judgeOffline(await save(v, "offline"), ["root-ca", "intermediate-ca"]);
  assert.match(openssl("rsa", "-in", join(safe, "root-ca.key"), "-check", "-noout", "-text"), /Private-Key: \(4096 bit.*RSA key ok/s);
});

story("an offline archive for the holder of an age key", { on: cross }, async (v) => {
  const id = join(v.folder, "age.key");
  run("age-keygen", ["-o", id]);
  const recipient = /public key: (\S+)/.exec(readFileSync(id, "utf8"))[1];
  await v.choose("Offline archive", "For recipients");
  await v.fill("Public keys, one a line", `${recipient}x`);
  await v.hears("recipient");
  assert.equal(await v.value("Public keys, one a line", "aria-invalid"), "true");
  await v.click("button", "Go to the field");
  await v.focused("textarea");
  await v.fill("Public keys, one a line", recipient);
  await make(v);
  judgeServer(await save(v, "server"));
  const sealed = await save(v, "offline");
  assert.equal(basename(sealed), "tls-offline.tar.gz.age");
  judgeOffline(opened(sealed, run("age", ["-d", "-i", id, sealed], { encoding: "buffer" })), isolatedKeys);
});

story("an offline archive for the holder of an SSH key", { on: /chromium-file/ }, async (v) => {
  // One ground: what the engine seals is the same bytes everywhere.
  const id = join(v.folder, "id_ed25519");
  run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", id]);
  await v.choose("Offline archive", "For recipients");
  await v.fill("Public keys, one a line", readFileSync(`${id}.pub`, "utf8").trim());
  await make(v);
  const sealed = await save(v, "offline");
  judgeOffline(opened(sealed, run("age", ["-d", "-i", id, sealed], { encoding: "buffer" })), isolatedKeys);
});

story("an offline archive with a passphrase", { on: cross }, async (v) => {
  await v.choose("Offline archive", "With a passphrase");
  await v.click("button", "Make bundle");
  await v.fill("Passphrase", "long enough words");
  await v.fill("The same again", "other words");
  await v.click("button", "OK");
  await v.hears("The two are not the same.");
  await v.fill("The same again", "long enough words");
  await v.click("button", "OK");
  await v.hears("The bundle is made");
  await v.sees("encrypted with age", "Two archives");
  judgeServer(await save(v, "server"));
  const sealed = await save(v, "offline");
  assert.equal(basename(sealed), "tls-offline.tar.gz.age");
  // age asks for a passphrase on a terminal alone, which script(1) is.
  const plain = join(v.folder, "opened.tar.gz");
  run("script", ["-qec", `age -d -o ${plain} ${sealed}`, "/dev/null"], { input: "long enough words\n", stdio: ["pipe", "pipe", "pipe"] });
  judgeOffline(plain, isolatedKeys);
});

story("a run is cancelled, and begun again", { on: cross }, async (v) => {
  await v.select("Algorithm: Roots", "RSA-4096");
  await v.click("button", "Make bundle");
  await v.click("button", "Cancel");
  await v.hears("Cancelled; nothing was made.");
  await v.seesNot("The bundle is made");
  await v.select("Algorithm: Roots", "P-256");
  await make(v);
  judgeServer(await save(v, "server"));
});

function opened(sealed, bytes) {
  const plain = sealed.replace(/\.age$/, "");
  writeFileSync(plain, bytes);
  return plain;
}
