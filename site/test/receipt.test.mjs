// The receipt: what it says is so, and what it gives away is what it says.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { cross, story } from "./harness.mjs";
import { make, receipt, save } from "./making.mjs";
import { certificates, fingerprint, judgeServer, lines, rootkiln, run } from "./tools.mjs";

story("fingerprint, token, steps and certificates are those of the archive", { on: cross }, async (v) => {
  await make(v);
  const shown = await receipt(v);
  const server = await save(v, "server");
  await v.hears("saved");

  // The step that unpacks, run as it stands but for the place.
  const steps = await v.texts("[aria-labelledby=result-install] pre");
  const place = join(v.folder, "server");
  const unpack = steps.find((s) => s.includes("tar -x"));
  run("sh", ["-ec", unpack.replaceAll("/var/lib/rancher/k3s/server", place)], { cwd: join(server, "..") });
  const chain = certificates(join(place, "tls/server-ca.crt"));
  assert.equal(shown.root, fingerprint(chain.at(-1)));

  await v.unfold("11 certificates");
  const listed = await v.page.$$eval("[aria-labelledby=result-inside] table code[title]", (all) => all.map((e) => e.title));
  assert.equal(listed.length, 11);
  for (const crt of chain) assert.ok(listed.includes(fingerprint(crt)), "every certificate of the chain is listed");

  // Without password the token is that of the command line; with it the page never shows it.
  assert.equal(shown.token, rootkiln("token", server).trim());
  await v.unfold("Full token from a password");
  await v.fill("Password of the first server (--token)", "p4ss word");
  await v.click("button", "Make full token");
  await v.hears("The full token is ready.");
  assert.equal(await v.value("Password of the first server (--token)"), "");
  await v.click("button", "Copy full token");
  await v.hears("Copied");
  assert.equal(await v.paste(), `${shown.token}server:p4ss word`);
  assert.equal((await v.page.evaluate(() => document.body.outerHTML)).includes("p4ss word"), false);

  // The code of the fingerprint, by a reader that is not ours.
  const picture = await v.photograph(".identity img", "root.png");
  assert.equal(run("zbarimg", ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", picture]).trim(), shown.root);
});

story("exports are byte for byte those of the command line", { on: cross }, async (v) => {
  await make(v);
  const server = await save(v, "server");
  const give = (format) => { // files of the command line's export, by name
    const out = join(v.folder, format);
    rootkiln("export", format, server, "--out", out);
    return out;
  };
  const card = "As text for an installer";
  const config = await v.download(() => v.click("button", "Save config.yaml"));
  assert.equal(readFileSync(config, "utf8"), readFileSync(give("config"), "utf8"));
  const labels = { "cloud-init": "cloud-init", ansible: "Ansible", secret: "Secret" };
  for (const [format, label] of Object.entries(labels)) {
    await v.click("tab", label);
    if (format === "secret") await v.fill("Name", "", card);
    await v.click("button", "Make files");
    await v.page.waitForSelector(".export");
    const names = await v.texts(".export > .row > code");
    const theirs = give(format);
    for (const name of names) {
      const file = await v.download(() => v.click("button", `Save ${name}`));
      const want = format === "ansible" ? join(theirs, name) : theirs;
      assert.equal(readFileSync(file, "utf8"), readFileSync(want, "utf8"), `${format}: ${name}`);
    }
    assert.ok(names.length >= 1);
  }
  assert.equal((await v.page.evaluate(() => document.querySelector("main").innerHTML)).includes("PRIVATE KEY"), false, "no key is shown");
});

story("the print sheet has every fingerprint, and no key", { on: cross }, async (v) => {
  await v.fill("Cluster name", "paper");
  await make(v);
  const shown = await receipt(v);
  const server = await save(v, "server"), offline = await save(v, "offline");
  const pdf = join(v.folder, "sheet.pdf");
  await v.page.pdf({ path: pdf, format: "a4" });
  const text = run("pdftotext", ["-layout", pdf, "-"]);
  const flat = text.replace(/\s/g, "");
  assert.match(text, /Certificate authorities of a cluster/);
  assert.ok(flat.includes(shown.root), "the root fingerprint");
  assert.ok(flat.includes(shown.token), "the token");
  assert.ok(flat.includes(shown.digest), "the digest of the plan");
  const folder = join(v.folder, "safe");
  mkdirSync(folder);
  run("tar", ["-xpf", offline, "-C", folder]);
  const known = lines(readFileSync(join(folder, "fingerprints.txt"), "utf8")).map((l) => l.split(" ")[0]);
  assert.equal(known.length, 11);
  // A fingerprint that is broken over lines stands among the other columns.
  for (const print of known) assert.ok(print.match(/.{4}/g).every((g) => text.includes(g)), print);
  assert.doesNotMatch(text, /PRIVATE KEY|Forget everything|Download/);
  assert.ok(basename(server) === "paper.tar.gz");
});

story("leaving with unsaved keys is asked about, and forgetting too", {}, async (v) => {
  const asked = [];
  let stay = true;
  v.page.on("dialog", (d) => { asked.push(d.type()); return stay ? d.dismiss() : d.accept(); });
  await make(v);
  const reload = () => v.page.reload({ timeout: 3000 }).catch(() => {});
  await reload();
  assert.deepEqual(asked, ["beforeunload"], "with keys that are not saved the browser asks");
  await v.sees("The bundle is made");
  await save(v, "server");
  await save(v, "offline");

  await v.click("button", "Forget everything");
  await v.hears("Everything is forgotten.");
  await v.sees("12 keys, made in this tab");
  await make(v);
  await v.click("button", "Forget everything");
  await v.sees("Nobody can make the same keys again.", "Something is not saved");
  await v.click("button", "Cancel", "Something is not saved");
  await v.sees("The bundle is made");
  await v.click("button", "Forget everything");
  await v.click("button", "Forget everything", "Something is not saved");
  await v.hears("Everything is forgotten.");
  stay = false;
  await v.reload();
  assert.deepEqual(asked, ["beforeunload"], "with nothing to lose it does not");
});

story("in Chinese from form to receipt, and back in the middle", {}, async (v) => {
  await v.fill("Cluster name", "lab");
  await v.click("button", "简体中文");
  await v.sees("集群");
  assert.equal(await v.page.evaluate(() => document.documentElement.lang), "zh-Hans");
  const name = await v.page.$eval("#make-name", (e) => e.value);
  assert.equal(name, "lab", "what was entered survives");
  await v.page.locator(".bar .primary").click();
  await v.page.waitForSelector("[data-part=server]");
  const words = (await v.texts(".result h2, .result .hint, .result button")).filter((t) => /[A-Za-z]{4}/.test(t) && !/[一-龥]/.test(t));
  assert.deepEqual(words.filter((t) => !/^(config\.yaml|cloud-init|Ansible|Secret|[\w.-]+\.gz.*)$/.test(t)), [], "nothing is left in English");
  await v.shot("result-zh");
  judgeServer(await v.download(() => v.page.locator("[data-part=server]").click()));
  await v.click("button", "English");
  await v.sees("The bundle is made");
  await v.sees("saved", "Two archives");
});
