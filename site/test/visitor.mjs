// A visitor does what a person does: clicks by role and name, fills by label,
// chooses and drops files, takes downloads, hears what a screen reader would.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { basename, join, relative, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How long anything may take that says nothing else. */
const patience = 30_000;
/** Conditions are looked at by the clock: a page behind another gets no frames. */
const every = { polling: 50, timeout: patience };

/** An XPath string of any text. */
const quoted = (text) => text.includes('"') ? `concat(${text.split('"').map((s) => `"${s}"`).join(`,'"',`)})` : `"${text}"`;
const is = (text) => `normalize-space()=${quoted(text)}`;

/**
 * What is inside a named region: a group, a section or a dialog by its heading.
 * Only headings are read: in the single file the text of the body has megabytes.
 */
const scope = (within) => within === undefined ? "" : `//*[@aria-label=${quoted(within)} or self::fieldset[legend[${is(within)}]]`
  + ` or (@aria-labelledby and @aria-labelledby=//*[self::h1 or self::h2 or self::h3][${is(within)}]/@id)]`;

/** Elements that have a role of themselves. */
const elements = { button: "button[not(@role)]", link: "a[@href]", heading: "*[self::h1 or self::h2 or self::h3]" };

export class Visitor {
  /** What nobody expected so far; a story takes out what it does expect. */
  unexpected = [];
  /** What was asked for beside the loading of pages. */
  requests = [];
  #quiet = [];
  #pages = new Set();

  constructor({ context, ground, folder, inbox, shots, page }) {
    Object.assign(this, { context, ground, folder, inbox, shots, page });
  }

  // ── pages ─────────────────────────────────────────────────────────────────

  /** open opens the page in a tab of its own, as on the first visit. */
  async open(fragment = "") {
    this.#note();
    const page = await this.context.newPage();
    await this.#watch(page);
    await page.setViewport({ width: 1280, height: 900 });
    this.page = page;
    await page.goto(await this.ground.address() + fragment);
    await this.ready();
    return this;
  }

  /** another is a second tab of the same person. */
  async another(fragment = "") {
    const other = new Visitor(this);
    Object.assign(other, { unexpected: this.unexpected, requests: this.requests });
    other.#quiet = this.#quiet;
    other.#pages = this.#pages;
    return other.open(fragment);
  }

  /** ready waits until the engine has come, which the line of the promise says. */
  async ready() {
    await this.page.waitForFunction(() => document.querySelector(".engine-state")?.hidden === true
      && document.querySelector(".live:is(.on, .off, .sent)") !== null, { ...every, timeout: 60_000 });
    this.ground.wire.length = 0; // that was the page itself
  }

  /** note keeps what has been on the wire since a page had loaded. */
  #note() { this.requests.push(...this.ground.wire.splice(0)); }

  /** reload loads the page anew. */
  async reload() {
    this.#note();
    await this.page.reload();
    await this.ready();
  }

  async #watch(page) {
    this.#pages.add(page);
    const own = await this.ground.address();
    const odd = (what) => this.unexpected.push(what);
    page.on("console", (m) => { if (["error", "warn"].includes(m.type())) odd(`console ${m.type()}: ${m.text()}`); });
    page.on("pageerror", (e) => odd(`exception: ${e?.message ?? e}`));
    page.on("request", (r) => {
      if (!r.url().startsWith(own) && !/^(data|blob):/.test(r.url())) this.requests.push(r.url());
    });
    // Firefox keeps breaches of the policy from the console that a driver sees.
    await page.evaluateOnNewDocument(() => {
      window.breaches = [];
      document.addEventListener("securitypolicyviolation", (e) => window.breaches.push(`${e.violatedDirective}: ${e.blockedURI}`));
    });
  }

  /** expect says that a story brings about what would be an error elsewhere. */
  expect(pattern) { this.#quiet.push(pattern); }

  /** settle looks at all that nobody expected. */
  async settle() {
    for (const page of this.#pages) {
      if (page.isClosed() || page.url() === "about:blank") continue;
      for (const breach of await page.evaluate(() => window.breaches ?? [])) this.unexpected.push(`policy: ${breach}`);
    }
    this.#note();
    const odd = [...this.unexpected, ...this.requests.map((what) => `request after loading: ${what}`)];
    assert.deepEqual(odd.filter((what) => !this.#quiet.some((q) => q.test(what))), [], "nobody expected this");
  }

  /** account is what is to be read of a story that failed. */
  async account() {
    const text = await this.page?.evaluate(() => document.body.innerText);
    await this.shot("failed");
    return [...this.unexpected, ...this.requests, "── the page:", text?.slice(0, 6000)].join("\n");
  }

  // ── finding ───────────────────────────────────────────────────────────────

  /** find waits for the element of a role with exactly this name, which is seen. */
  find(role, name, within) {
    const named = `[@aria-label=${quoted(name)} or (not(@aria-label) and ${is(name)})]`;
    return this.path(`${scope(within)}//${elements[role] ?? `*[@role='${role}']`}${named}`);
  }

  path(xpath) { return this.page.locator(`::-p-xpath(${xpath})`).setTimeout(patience); }

  /** control is the field of a label. */
  control(label, within) {
    return this.path(`${scope(within)}//*[self::input or self::textarea or self::select][@aria-label=${quoted(label)} or @id=//label[${is(label)}]/@for]`);
  }

  /** sees waits for a text anywhere on the page, or in a region. */
  async sees(text, within) {
    await this.#until(text, within, true);
  }

  async seesNot(text, within) {
    await this.#until(text, within, false);
  }

  async #until(text, within, there) {
    const inside = within === undefined ? "//body" : scope(within);
    await this.page.waitForFunction((path, text, there) => {
      const host = document.evaluate(path, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE).singleNodeValue;
      const flat = (s) => s.replace(/\s+/g, " ");
      return (host !== null && flat(host.innerText).includes(flat(text))) === there;
    }, every, inside, text, there).catch((e) => { throw new Error(`${there ? "never saw" : "still sees"} “${text}”${within ? ` in “${within}”` : ""}`, { cause: e }); });
  }

  /** text is what is written in a region, as it is seen. */
  async text(within) {
    const el = await this.path(scope(within)).waitHandle();
    return el.evaluate((e) => e.innerText);
  }

  /** rows are the lines of a table by its caption: the text of every cell. */
  async rows(caption) {
    const region = await this.find("region", caption).waitHandle();
    return region.$$eval("tbody tr", (all) => all.map((tr) => [...tr.cells].map((c) => c.textContent.replace(/\s+/g, " ").trim())));
  }

  /** texts are those of all elements of a selector. */
  texts(selector) { return this.page.$$eval(selector, (all) => all.map((e) => e.textContent.trim())); }

  // ── hearing ───────────────────────────────────────────────────────────────

  /** said is the text of every live region. */
  said() {
    return this.page.$$eval("[role=status],[role=alert],[aria-live]", (all) => all.map((e) => e.textContent.replace(/\s+/g, " ").trim()).filter(Boolean));
  }

  /** hears waits until a live region holds a text. */
  async hears(text, timeout = patience) {
    await this.page.waitForFunction((text) => [...document.querySelectorAll("[role=status],[role=alert],[aria-live]")]
      .some((e) => e.textContent.replace(/\s+/g, " ").includes(text)), { ...every, timeout }, text)
      .catch(async (e) => { throw new Error(`never heard “${text}”, but: ${(await this.said()).join(" | ")}`, { cause: e }); });
  }

  // ── doing ─────────────────────────────────────────────────────────────────

  async click(role, name, within) { await this.tap(this.find(role, name, within)); }

  /** tap clicks in the middle of the window: a bar lies over its lower edge. */
  async tap(locator) {
    if (this.#pages.size > 1) await this.page.bringToFront(); // a tab behind another gets no frames
    const el = await locator.waitHandle();
    await el.evaluate((e) => e.scrollIntoView({ block: "center", behavior: "instant" }));
    await locator.click();
  }

  /** unfold opens a fold by its summary. */
  async unfold(summary, within) { await this.tap(this.path(`${scope(within)}//summary[${is(summary)}]`)); }

  /**
   * choose takes one of a group of radio buttons, by the words of both. What is
   * above may grow as the pointer comes down: then a person presses again.
   */
  async choose(group, option) {
    const tile = this.path(`//fieldset[legend[${is(group)}]]//label[b[${is(option)}] or ${is(option)}]`);
    for (let n = 0; n < 3; n++) {
      await this.tap(tile);
      if (await (await tile.waitHandle()).evaluate((e) => e.control.checked)) return;
    }
    throw new Error(`“${option}” of “${group}” does not stay chosen`);
  }

  /** tick presses a box by its label. */
  async tick(label, within) { await this.tap(this.path(`${scope(within)}//label[${is(label)}]`)); }

  /** value is what a field holds, its state as the browser tells it by an attribute. */
  async value(label, attribute) {
    const field = await this.control(label).waitHandle();
    return field.evaluate((e, a) => a ? e.getAttribute(a) : e.value, attribute);
  }

  /** fill puts a text in the place of what a field holds. */
  async fill(label, text, within) {
    const field = await this.control(label, within).waitHandle();
    await field.evaluate((e) => { e.focus(); e.select?.(); });
    if (text === "") return this.page.keyboard.press("Backspace");
    if (this.ground.browser === "chromium") return this.page.keyboard.sendCharacter(text); // key by key takes seconds there
    await field.type(text);
  }

  async select(label, option) {
    const field = await this.control(label).waitHandle();
    const value = await field.evaluate((e, text) => [...e.options].find((o) => o.textContent.trim() === text)?.value, option);
    assert.notEqual(value, undefined, `${label} has no “${option}”`);
    await field.select(value);
  }

  /** focused waits until the focus is inside of what a selector says. */
  async focused(selector) {
    await this.page.waitForFunction((s) => document.activeElement?.closest(s) !== null, every, selector);
  }

  /** press strikes a key. */
  async press(key) { await this.page.keyboard.press(key); }

  /** paste is what the clipboard holds, put into a tab of its own. */
  async paste() {
    const tab = await this.context.newPage();
    await tab.goto("data:text/html,<textarea autofocus></textarea>");
    await tab.focus("textarea");
    await tab.keyboard.down("Control");
    await tab.keyboard.press("v");
    await tab.keyboard.up("Control");
    const text = await tab.$eval("textarea", (e) => e.value);
    await tab.close();
    await this.page.bringToFront();
    return text;
  }

  // ── files ─────────────────────────────────────────────────────────────────

  /** attach presses a button that asks for files, and chooses these. */
  async attach(button, within, ...paths) {
    const [chooser] = await Promise.all([this.page.waitForFileChooser({ timeout: patience }), this.click("button", button, within)]);
    await chooser.accept(paths);
  }

  /**
   * drop lets files and folders fall onto an element. Chromium gets them from the
   * system; Firefox has no way to be given a drop from outside, so its event is
   * made in the page, with the same paths.
   */
  async drop(selector, ...paths) {
    const target = await this.page.waitForSelector(selector, { visible: true, timeout: patience });
    await target.scrollIntoView();
    if (this.ground.browser === "chromium") {
      const { x, y } = await target.clickablePoint();
      const cdp = await this.page.createCDPSession();
      const data = { items: [], files: paths, dragOperationsMask: 1 };
      for (const type of ["dragEnter", "dragOver", "drop"]) await cdp.send("Input.dispatchDragEvent", { type, x, y, data });
      return cdp.detach();
    }
    await target.evaluate(dropInPage, paths.map((path) => tree(path)));
  }

  /** download does what starts one and returns the path of the file, whole, in the story's folder. */
  async download(start) {
    const before = new Set(readdirSync(this.inbox));
    await start();
    const end = Date.now() + patience;
    let size = -1;
    while (Date.now() < end) {
      const fresh = readdirSync(this.inbox).filter((n) => !before.has(n));
      // Chromium writes beside the name, Firefox a .part beside an empty file of the name.
      const [done] = fresh.some((n) => /\.(crdownload|part)$/.test(n)) ? [] : fresh;
      const now = done ? statSync(join(this.inbox, done)).size : 0;
      if (now > 0 && now === size) return this.#take(done);
      size = now;
      await sleep(40);
    }
    throw new Error(`no download came; there is ${readdirSync(this.inbox).join(", ") || "nothing"}`);
  }

  #take(name) {
    const folder = mkdtempSync(join(this.folder, "download-"));
    renameSync(join(this.inbox, name), join(folder, name));
    return join(folder, name);
  }

  // ── looking ───────────────────────────────────────────────────────────────

  /** shot takes a picture where SHOTS asks for pictures. */
  async shot(name, options = { fullPage: true }) {
    if (!this.shots) return;
    mkdirSync(this.shots, { recursive: true });
    await this.page.screenshot({ path: join(this.shots, `${name}-${this.ground.name}.png`), ...options });
  }

  /** photograph is the picture of one element, in the story's folder. */
  async photograph(selector, name) {
    const el = await this.page.waitForSelector(selector, { visible: true, timeout: patience });
    const path = join(this.folder, name);
    await el.screenshot({ path });
    return path;
  }
}

/** tree is a file or a folder with what is in it, fit to be sent to a page. */
function tree(path, root = dirname(path)) {
  const full = `/${relative(root, path)}`;
  if (!statSync(path).isDirectory()) return { full, name: basename(path), data: readFileSync(path).toString("base64"), lastModified: Math.floor(statSync(path).mtimeMs) };
  return { full, name: basename(path), entries: readdirSync(path).map((n) => tree(join(path, n), root)) };
}

function dropInPage(target, trees) {
  const file = ({ name, data, lastModified }) => new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { lastModified });
  const entry = (t) => t.entries
    ? { isFile: false, isDirectory: true, name: t.name, fullPath: t.full, createReader: () => reader(t.entries.map(entry)) }
    : { isFile: true, isDirectory: false, name: t.name, fullPath: t.full, file: (ok) => ok(file(t)) };
  const reader = (entries) => ({ readEntries: (ok) => ok(entries.splice(0, 100)) });
  const dataTransfer = {
    types: ["Files"], files: trees.filter((t) => !t.entries).map(file),
    items: trees.map((t) => ({ kind: "file", webkitGetAsEntry: () => entry(t), getAsFile: () => t.entries ? null : file(t) })),
  };
  for (const type of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(type, { bubbles: true, cancelable: true, composed: true });
    Object.defineProperty(event, "dataTransfer", { value: dataTransfer });
    target.dispatchEvent(event);
  }
}
