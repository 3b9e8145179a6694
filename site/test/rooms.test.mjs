// Two rooms: the root stays on another machine. What travels goes by file or as QR
// codes, and is signed by our command line, by OpenSSL or by the page itself.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cross, story } from "./harness.mjs";
import { make, receipt, save } from "./making.mjs";
import { certificates, fingerprint, judgeServer, openssl, ownRoot, rootkiln, run } from "./tools.mjs";

/** request is the first room: it gives what was downloaded, by kind. */
async function request(v) {
  await v.choose("Where the root comes from", "Root stays offline");
  await make(v, "Make request");
  const names = (await v.texts(".part code")).map((n) => n.trim());
  const files = {};
  for (const name of names) files[name.split(".").at(name.endsWith(".age") ? -2 : -1) === "csr" ? "csr" : name.split(".")[0]] = await v.download(() => v.click("button", `Download: ${name}`));
  return files;
}

/** digests are those that both rooms read to each other. */
const digests = (v) => v.page.$$eval(".box .fingerprint", (all) => all.map((e) => e.textContent.replace(/\s/g, "")));

async function finish(v, ...files) {
  await v.attach("Choose files", "Finish the bundle", ...files);
  await v.click("button", "Finish bundle");
}

story("a request goes out as files, is signed by the command line, and comes back", {}, async (v) => {
  const own = ownRoot(v.folder);
  const { csr, plan } = await request(v);
  const [digest, key] = await digests(v);
  const signed = join(v.folder, "signed.crt");
  const said = rootkiln("sign", "-f", plan, "--root", own.crt, "--root-key", own.key, csr, "-o", signed).replace(/ /g, "");
  assert.ok(said.includes(digest) && said.includes(key), "both rooms read the same digests");
  assert.equal(key, run("sh", ["-c", `openssl req -in '${csr}' -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum`]).slice(0, 64));
  await v.click("button", "I have the signed certificate");
  await finish(v, signed);
  await v.hears("The bundle is made");
  const { root } = await receipt(v);
  judgeServer(await save(v, "server"));
  assert.equal(root, fingerprint(own.crt));
});

story("signed by OpenSSL, finished in another tab from the sealed state file", { on: cross }, async (v) => {
  const own = ownRoot(v.folder);
  await v.choose("Offline archive", "With a passphrase");
  await v.choose("Where the root comes from", "Root stays offline");
  await v.click("button", "Make request");
  await v.fill("Passphrase", "stays here");
  await v.fill("The same again", "stays here");
  await v.click("button", "OK");
  await v.hears("The request is made");
  const csr = await v.download(() => v.click("button", "Download: intermediate.csr"));
  const state = await v.download(() => v.click("button", "Download: state.json.age"));
  assert.match(readFileSync(state, "latin1"), /^age-encryption\.org/);

  const signed = join(v.folder, "signed.crt"), extensions = join(v.folder, "ext");
  writeFileSync(extensions, "basicConstraints=critical,CA:TRUE,pathlen:1\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n");
  const alone = join(v.folder, "alone.crt");
  openssl("x509", "-req", "-in", csr, "-CA", own.crt, "-CAkey", own.key, "-days", "3649", "-sha384", "-extfile", extensions, "-out", alone);
  writeFileSync(signed, readFileSync(alone, "utf8") + readFileSync(own.crt, "utf8"));

  const later = await v.another();
  await later.click("tab", "Finish with a signed certificate");
  await finish(later, state, signed);
  await later.fill("Passphrase", "stays here");
  await later.click("button", "OK");
  await later.hears("The bundle is made");
  const folder = judgeServer(await save(later, "server"));
  assert.equal(fingerprint(certificates(join(folder, "tls/server-ca.crt")).at(-1)), fingerprint(own.crt));
});

/** photographs takes a picture of every code that goes round, and reads each with zbar. */
async function photographs(v, name) {
  await v.unfold("Show as QR codes");
  await v.page.waitForSelector(".qr-place img");
  const labelled = async () => /^(\d+) of (\d+)/.exec(await v.page.$eval(".qr-show .hint", (e) => e.textContent))?.slice(1).map(Number) ?? [1, 1];
  const [, of] = await labelled();
  const found = new Map();
  if (of > 1) await v.click("button", "Pause").catch(() => {}); // with reduced motion nothing runs
  while (found.size < of) {
    const [n] = await labelled();
    const path = await v.photograph(".qr-place img", `${name}-${n}.png`);
    if ((await labelled())[0] === n) found.set(n, path);
    if (of > 1) await v.click("button", "Next");
    await v.page.waitForFunction((n, of) => of === 1 || !document.querySelector(".qr-show .hint").textContent.startsWith(`${n} of`), { polling: 20 }, n, of);
  }
  const pictures = [...found.keys()].sort((a, b) => a - b).map((n) => found.get(n));
  const codes = pictures.map((p) => run("zbarimg", ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", p]).replace(/\n$/, ""));
  return { pictures, codes };
}

/** joined is what a person would do by hand with the frames of one file. */
const joined = (codes, name) => codes.filter((c) => c.split("\n")[0].endsWith(` ${name}`)).map((c) => c.replace(/^.*\n/, "")).join("");

story("the request goes out and the certificate comes back as QR codes", { on: cross }, async (v) => {
  const own = ownRoot(v.folder);
  const { csr, plan } = await request(v);
  const out = await photographs(v, "out");
  assert.equal(joined(out.codes, basename(plan)), readFileSync(plan, "utf8"));
  assert.ok(out.codes.includes(readFileSync(csr, "utf8")), "what fits into one code stands there as it is");

  const there = await v.another();
  await there.click("tab", "Sign a request");
  await there.unfold("Read from QR codes");
  await there.attach("Choose pictures", "Sign a request", ...out.pictures.reverse());
  await there.sees("plan.json", "Sign a request");
  await there.sees(".csr", "Sign a request");
  await there.attach("Choose files", "Sign a request", own.crt, own.key);
  await there.sees("root-ca.key", "Sign a request");
  await there.click("button", "Sign", "Sign a request");
  await there.page.waitForSelector("#rooms-signed");
  assert.deepEqual((await digests(there)).slice(0, 2), await digests(v), "both rooms read the same");
  const back = await photographs(there, "back");
  const signed = await there.download(() => there.tap(there.path("//*[@aria-labelledby='rooms-signed']//button[starts-with(@aria-label,'Download')]")));
  assert.match(openssl("verify", "-CAfile", own.crt, signed), /OK/);

  await v.click("button", "I have the signed certificate");
  await v.unfold("Read from QR codes");
  await v.attach("Choose pictures", "Finish the bundle", ...back.pictures);
  await v.sees(".crt", "Finish the bundle");
  await v.click("button", "Finish bundle");
  await v.hears("The bundle is made");
  judgeServer(await save(v, "server"));
});

story("another certificate than the one that was asked for is refused with words", { on: /chromium-file/ }, async (v) => {
  // One ground: the refusal is the engine's.
  const own = ownRoot(v.folder), other = ownRoot(v.folder, "other");
  await request(v);
  await v.click("button", "I have the signed certificate");
  await finish(v, other.crt);
  await v.hears("this certificate was not made for the key of the request");
  await v.seesNot("The bundle is made");
  await v.attach("Choose files", "Finish the bundle", own.key);
  await v.hears("Not what is needed here: root-ca.key");
});
