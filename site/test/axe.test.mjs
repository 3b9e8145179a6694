// Every state of the page before axe, in both languages, light and dark, narrow and
// wide. On one ground: axe reads the document, which is the same on all of them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { story } from "./harness.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const words = Object.fromEntries(["en", "zh"].map((lang) => [lang, Object.assign({}, ...["shell", "make", "inspect"].map((part) =>
  JSON.parse(readFileSync(new URL(`../src/words/${lang}.${part}.json`, import.meta.url), "utf8"))))]));

/** states walks through the page and stops wherever it looks different. */
async function* states(v, w) {
  yield "form";
  await v.path("//*[@id='verify']").click();
  await v.page.waitForSelector("dialog[open]");
  yield "how to verify";
  await v.press("Escape");
  await v.unfold(w["make.more"]);
  await v.fill(w["make.name"], "Not A Label");
  await v.sees(w["make.toField"]);
  yield "a plan with errors";
  await v.fill(w["make.name"], "lab");
  await v.seesNot(w["make.toField"]);
  await v.choose(w["make.trustLegend"], w["make.trust.elsewhere"]);
  await v.sees(w["make.request"]);
  await v.click("button", w["make.request"]);
  await v.sees(w["rooms.requested"]);
  yield "the request is made";
  await v.click("button", w["result.forget"]);
  await v.path("//dialog//button[contains(@class,'danger')]").click();
  await v.seesNot(w["rooms.requested"]);
  await v.click("tab", w["make.way.sign"]);
  await v.sees(w["rooms.signTitle"]);
  yield "signing";
  await v.click("tab", w["make.way.finish"]);
  await v.sees(w["rooms.finishTitle"]);
  yield "finishing";
  await v.click("tab", w["make.way.bundle"]);
  await v.choose(w["make.trustLegend"], w["make.trust.new"]);
  await v.choose(w["make.seal"], w["make.seal.passphrase"]);
  await v.sees(w["make.bundle"]);
  await v.click("button", w["make.bundle"]);
  await v.page.waitForSelector("dialog[open]");
  yield "asking for a passphrase";
  await v.press("Escape");
  await v.choose(w["make.seal"], w["make.seal.none"]);
  await v.click("button", w["make.bundle"]);
  await v.sees(w["result.title"]);
  yield "the bundle is made";
  await v.click("tab", w["shell.inspect"]);
  await v.sees(w["inspect.title"]);
  yield "inspect, empty";
  await v.click("button", w["inspect.sampleOpen"]);
  await v.sees(w["inspect.verdict.ok"]);
  yield "inspect, overview";
  for (const view of ["certificates", "check", "against", "compare", "rotate"]) {
    await v.click("tab", w[`inspect.view.${view}`]);
    await v.page.waitForFunction(() => !document.querySelector("[aria-busy=true]"), { polling: 50 });
    yield `inspect, ${view}`;
  }
}

async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const found = await window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return found.violations.flatMap((x) => x.nodes.map((n) => `${x.id}: ${n.target.join(" ")}: ${n.failureSummary?.split("\n")[1]?.trim()}`));
  });
}

for (const [lang, theme, width] of [["en", "light", 1440], ["en", "dark", 390], ["zh", "dark", 1440], ["zh", "light", 390]]) {
  story(`axe finds nothing: ${lang}, ${theme}, ${width} px`, { on: /chromium-hosted/ }, async (v) => {
    await v.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }, { name: "prefers-reduced-motion", value: "reduce" }]);
    await v.page.setViewport({ width, height: 900 });
    if (lang === "zh") await v.click("button", "简体中文");
    await v.sees(words[lang]["make.bundle"]);
    const found = [];
    for await (const state of states(v, words[lang])) {
      await v.shot(`${state.replace(/\W+/g, "-")}-${lang}-${theme}-${width}`);
      for (const x of await violations(v.page)) found.push(`${state}: ${x}`);
      const wide = await v.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (wide > 0) found.push(`${state}: ${wide} px wider than the window`);
    }
    assert.deepEqual(found, []);
  });
}
