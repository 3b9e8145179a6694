// The Make tab: a form that is right when it opens, the plan beside it, making,
// and the receipt. What was entered survives a change of language; keys live in
// this tab's memory until they are saved or forgotten, and nowhere else.

import type { Finding, NamedFile, Planned, Receipt } from "../../wasm/engine";
import { failureOf, type EngineClient } from "./engine";
import { t } from "./i18n";
import { bare, call, passphrases } from "./make-call";
import { makeForm, type FormView } from "./make-form";
import { blank, fieldOf, filesOf, fromPlan, lineItems, toPlan, type Form } from "./make-plan";
import { preview, type Preview } from "./make-preview";
import { run } from "./make-run";
import { resultView, unsaved, type Result } from "./result";
import { finishView, isState, requestedView, showFailure, signView, text, type Finish, type RequestedView } from "./rooms";
import { announce, ask, button, confirmLoss, copyButton, download, fileTrouble, findings, h, readFiles, replace, tabs, TooMuch, uid, type Child } from "./ui";

type Way = "bundle" | "sign" | "finish";

/** One visit: outlives the view, which is built anew in another language. */
interface Session {
  form: Form;
  way: Way;
  planned?: Planned;
  result?: Result;
  requested?: RequestedView;
  /** A call that must not be lost with the tab. */
  busy: boolean;
}

const session: Session = { form: blank(), way: "bundle", busy: false };

/** Milliseconds without a keystroke before the plan is resolved again. */
const pause = 250;

/** mountMake fills the tab. It may be called again, as after a change of language. */
export function mountMake(host: HTMLElement, engine: EngineClient): void {
  // A run goes on in the language in which it began; its result has the new one.
  if (session.busy && host.childElementCount > 0) return;
  new Make(host, engine).draw();
}

const keysAtRisk = (): boolean => session.busy
  || session.result !== undefined && unsaved(session.result)
  || session.requested !== undefined && session.requested.files.some((f) => !session.requested!.saved.has(f.name));

function askBeforeLeaving(event: BeforeUnloadEvent): void { event.preventDefault(); }

/** The browser's own question stands only while keys would be lost: it costs the back-forward cache. */
function guard(): void {
  if (keysAtRisk()) window.addEventListener("beforeunload", askBeforeLeaving);
  else window.removeEventListener("beforeunload", askBeforeLeaving);
}

class Make {
  private form!: FormView;
  private preview!: Preview;
  private readonly summary = h("div", { class: "summary" });
  private readonly left = h("div", { class: "stack wide" });
  private readonly bar = h("div", { class: "bar" });
  private readonly status = h("span", { class: "muted status" });
  private readonly main = button("", () => void this.make(), "primary big");
  private timer = 0;
  /** Counts plans, so that an answer to an older one is dropped. */
  private asked = 0;
  private errors: Finding[] = [];
  private refusedFiles = new Set<string>();

  constructor(private readonly host: HTMLElement, private readonly engine: EngineClient) {}

  draw(focus = ""): void {
    guard();
    if (session.result) this.show(this.receipt(session.result), focus);
    else if (session.requested) this.show(this.requested(session.requested), focus);
    else this.show(h("div", { class: "make" }, this.ways()), focus);
  }

  private show(view: HTMLElement, focus: string): void {
    replace(this.host, view);
    if (focus) (view.querySelector<HTMLElement>(focus))?.focus();
  }

  private ways(): HTMLElement {
    const ways: Way[] = ["bundle", "sign", "finish"];
    const panels: Record<Way, () => Child> = {
      bundle: () => this.bundle(),
      sign: () => signView(this.engine, (busy) => { session.busy = busy; guard(); }),
      finish: () => this.finish(),
    };
    return tabs(t("make.ways"), ways.map((id) => ({
      id, label: t(`make.way.${id}`), panel: () => { session.way = id; return panels[id](); },
    })), session.way);
  }

  // ── the form ──────────────────────────────────────────────────────────────

  private bundle(): Child {
    this.form = makeForm(session.form, () => this.changed());
    this.preview = preview((f) => this.toField(f));
    replace(this.left, this.summary, this.form.el);
    this.drawBar();
    if (session.planned) this.accept(session.planned);
    void this.plan();
    return [h("div", { class: "columns" }, this.left, this.preview.el), this.bar];
  }

  private drawBar(): void {
    this.bar.hidden = false; // a run hides it
    this.setMain();
    const items = h("div", { class: "menu-items", id: uid("menu") },
      copyButton(() => this.document(), t("make.copyPlan")),
      copyButton(() => this.command(), t("make.copyCommand")),
      button(t("make.downloadPlan"), () => download("plan.yaml", this.document(), "application/yaml"), "quiet"),
      this.loader());
    const menu = button(t("make.planMenu"), () => {
      menu.setAttribute("aria-expanded", String(items.classList.toggle("open")));
    }, "menu-button", { "aria-expanded": false, "aria-controls": items.id });
    replace(this.bar, this.main, this.status, h("div", { class: "menu" }, menu, items));
  }

  private document(): string {
    return session.planned?.document ?? `${JSON.stringify(toPlan(session.form), null, 2)}\n`;
  }

  /** The engine's line, and what it is not told: that a passphrase will be asked for. */
  private command(): string {
    const asked = session.form.seal === "passphrase" && !this.requests ? " --passphrase" : "";
    return (session.planned?.command ?? "") + asked;
  }

  private loader(): Child {
    const input = h("input", {
      type: "file", class: "visually-hidden", tabindex: -1, "aria-hidden": true, accept: ".json,.yaml,.yml",
      onchange: () => {
        const file = input.files?.[0];
        if (file) void this.load(file);
        input.value = "";
      },
    });
    return [button(t("make.loadPlan"), () => input.click(), "quiet"), input];
  }

  /** Puts a plan into the form; files that it names may come later. */
  private async load(file: File): Promise<void> {
    try {
      const [{ data }] = await readFiles([file]) as [NamedFile];
      const { value } = await bare(this.engine, "parse", { document: new TextDecoder().decode(data) });
      session.form = fromPlan(value.document);
      delete session.planned;
      this.draw();
      announce(t("make.loaded"));
    } catch (error) {
      const { message, findings: found } = error instanceof TooMuch ? { message: fileTrouble(error), findings: [] } : failureOf(error);
      replace(this.summary, h("div", { class: "box error stack", role: "alert" }, h("b", null, t("make.notAPlan", { file: file.name })),
        found.length > 0 ? findings(found) : h("p", null, message)));
      this.summary.scrollIntoView({ block: "center" });
    }
  }

  private changed(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.plan(), pause);
  }

  /** Resolves the plan; nothing is made. An encrypted key asks once by itself, later on a button. */
  private async plan(): Promise<boolean> {
    const number = ++this.asked;
    const { files } = filesOf(session.form);
    for (const name of this.refusedFiles) if (!files.some((f) => f.name === name)) this.refusedFiles.delete(name);
    try {
      const { value } = await call(this.engine, "plan", { plan: toPlan(session.form), ...recipients(session.form), ...archiveNames(session.form) }, files,
        { quiet: files.some((f) => this.refusedFiles.has(f.name)) });
      if (number !== this.asked) return false;
      this.accept(value);
      return true;
    } catch (error) {
      const ended = error instanceof DOMException && error.name === "AbortError"; // the worker, with another call
      if (number === this.asked && !ended) this.refuse(error);
      return false;
    }
  }

  private accept(planned: Planned): void {
    session.planned = planned;
    this.preview.show(planned);
    this.preview.stale(false);
    this.form.resolved(planned);
    this.setErrors(planned.findings.filter((f) => f.severity === "error"), "");
  }

  private refuse(error: unknown): void {
    const failure = failureOf(error);
    if (failure.kind === "passphrase" && failure.file) this.refusedFiles.add(failure.file);
    this.preview.stale(true);
    const wrong = failure.findings.filter((f) => f.severity === "error");
    this.setErrors(wrong, wrong.length > 0 ? "" : failure.message);
    if (failure.kind === "passphrase") {
      this.summary.firstElementChild?.append(button(t("make.enterPassphrase"), () => { this.refusedFiles.clear(); void this.plan(); }));
    }
  }

  private setErrors(errors: Finding[], message: string): void {
    this.errors = errors;
    this.form.mark(errors);
    replace(this.summary, (errors.length > 0 || message) && h("div", { class: "box error stack", role: "alert", tabindex: -1 },
      h("b", null, message || t("make.invalid", { n: errors.length })),
      errors.length > 0 && findings(errors, { open: errors.length === 1 ? ["error"] : [], action: (f) => this.toField(f) })));
    this.setMain(message !== "");
  }

  private toField(finding: Finding): Child {
    const field = fieldOf(finding, session.form);
    return field !== "" && button(t("make.toField"), () => this.form.focus(field), "quiet tight");
  }

  private get requests(): boolean { return (session.planned?.requests.length ?? 0) > 0; }

  private setMain(failed = false): void {
    const blocked = failed || this.errors.length > 0;
    // A plan that is refused leaves the one before it behind, which says nothing of this form.
    const request = session.planned && !blocked ? this.requests : session.form.trust === "elsewhere";
    this.main.textContent = t(request ? "make.request" : "make.bundle");
    this.main.setAttribute("aria-disabled", String(blocked));
    this.status.textContent = blocked ? t("make.blocked")
      : session.planned ? t(request ? "make.readyRequest" : "make.ready", { n: request ? session.planned.requests.length : session.planned.keys.length }) : "";
  }

  // ── making ────────────────────────────────────────────────────────────────

  private async make(): Promise<void> {
    clearTimeout(this.timer);
    if (!await this.plan()) { // the newest plan, not the one of a moment ago
      this.summary.querySelector<HTMLElement>("[tabindex]")?.focus();
      return;
    }
    if (this.errors.length > 0) { this.summary.querySelector<HTMLElement>("[tabindex]")?.focus(); return; }
    const seal = await this.sealing();
    if (!seal) return;
    const planned = session.planned!;
    const request = this.requests;
    const { files } = filesOf(session.form);
    const params = { plan: toPlan(session.form), ...seal, ...archiveNames(session.form) };
    const sealed = Object.keys(seal).length > 0;
    await this.running(planned, async (options, began) => {
      if (request) {
        const made = await call(this.engine, "request", params, files, options);
        session.requested = { requested: made.value, files: made.files, saved: new Set() };
      } else {
        const made = await call(this.engine, "make", params, files, options);
        session.result = result(made.value, made.files, sealed, began);
      }
    });
  }

  /** Shows a run around a call and comes back to the form when it does not succeed. */
  private async running(planned: Planned, work: (o: { progress: (s: string) => void; signal: AbortSignal }, began: number) => Promise<void>): Promise<void> {
    const now = run(planned, () => this.preview.grow(now.growth));
    replace(this.left, now.el);
    this.bar.hidden = true;
    this.preview.grow(now.growth);
    now.el.querySelector<HTMLElement>("h2")?.focus();
    now.el.scrollIntoView({ block: "nearest" });
    session.busy = true;
    guard();
    try {
      await work({ progress: now.progress, signal: now.signal }, performance.now());
      session.busy = false;
      this.draw(".result-title");
      scrollTo({ top: 0 });
      announce(t(session.result ? "result.title" : "rooms.requested"));
    } catch (error) {
      session.busy = false;
      this.bar.hidden = false;
      guard();
      replace(this.left, this.summary, this.form.el);
      this.preview.grow(() => undefined);
      if (now.signal.aborted) {
        announce(t("run.cancelled"));
        this.setErrors([], "");
        this.status.textContent = t("run.cancelled");
      } else {
        this.refuse(error);
        this.summary.querySelector<HTMLElement>("[tabindex]")?.focus();
      }
    } finally {
      now.end();
    }
  }

  /** How the secret part is sealed; null: the question was called off. */
  private async sealing(): Promise<Record<string, unknown> | null> {
    if (session.form.seal !== "passphrase") return recipients(session.form);
    const passphrase = await ask(t("make.sealTitle"), t("make.sealText"), { label: t("make.passphrase"), again: true });
    return passphrase === null ? null : { sealPassphrase: passphrase };
  }

  // ── results ───────────────────────────────────────────────────────────────

  private receipt(r: Result): HTMLElement {
    return resultView(r, { engine: this.engine, onsaved: guard, onforget: () => void this.forget() });
  }

  private requested(r: RequestedView): HTMLElement {
    return requestedView(r, this.engine, {
      onsaved: guard, onforget: () => void this.forget(),
      onfinish: () => { session.way = "finish"; this.show(h("div", { class: "make" }, this.ways()), ""); },
    });
  }

  private finish(): Child {
    const state = session.requested?.files.find((f) => isState(f.name));
    return finishView(state, null, (f, out) => void this.resume(f, out));
  }

  private async resume(f: Finish, out: HTMLElement): Promise<void> {
    const seal = await this.sealing();
    if (!seal) return;
    const inputs = filesOf(session.form).files.filter((x) => !f.signed.some((y) => y.name === x.name) && x.name !== f.state.name);
    const named = [...inputsOf(f.state), ...inputs.map((x) => x.name)];
    const control = new AbortController();
    session.busy = true;
    guard();
    replace(out, h("div", { class: "row" }, h("progress", { "aria-label": t("rooms.finishing") }), h("span", { class: "muted", role: "status" }, t("rooms.finishing")),
      button(t("run.cancel"), () => control.abort())));
    try {
      const began = performance.now();
      const { value, files } = await call(this.engine, "resume", () => ({
        plan: {}, state: f.state.name, signed: f.signed.map((x) => x.name).filter((n) => !named.includes(n)),
        statePassphrase: passphrases.get(f.state.name) ?? "", ...seal, ...archiveNames(session.form),
      }), [f.state, ...f.signed, ...inputs], { signal: control.signal });
      session.busy = false;
      delete session.requested;
      session.result = result(value, files, Object.keys(seal).length > 0, began);
      this.draw(".result-title");
      scrollTo({ top: 0 });
      announce(t("result.title"));
    } catch (error) {
      session.busy = false;
      guard();
      if (control.signal.aborted) replace(out, h("p", { class: "hint", role: "status" }, t("run.cancelled")));
      else showFailure(out, error);
    }
  }

  /** Ends the worker, whose memory holds what the engine made, and drops the files. */
  private async forget(): Promise<void> {
    if (keysAtRisk() && !await confirmLoss(t("result.forgetTitle"), t("result.forgetText"), t("result.forget"))) return;
    for (const f of [...session.result?.files ?? [], ...session.requested?.files ?? [], ...Object.values(session.form.files), ...session.form.serviceKeys]) f.data.fill(0);
    passphrases.clear();
    delete session.result;
    delete session.requested;
    delete session.planned;
    session.form = { ...session.form, files: {}, serviceKeys: [] };
    session.way = "bundle";
    this.engine.restart();
    this.draw();
    announce(t("result.forgotten"));
    scrollTo({ top: 0 });
  }
}

function result(receipt: Receipt, files: NamedFile[], sealed: boolean, began: number): Result {
  const name = receipt.name ?? session.form.name.trim();
  return { receipt, files, name, sealed, elapsed: performance.now() - began, saved: new Set() };
}

const recipients = (form: Form): Record<string, unknown> =>
  form.seal === "recipients" && form.recipients.trim() ? { recipients: lineItems(form.recipients) } : {};

/** A named cluster has its name in its archives: several of them go into one safe. */
function archiveNames(form: Form): Record<string, string> {
  const name = form.name.trim();
  return name ? { server: `${name}.tar.gz`, offline: `${name}-offline.tar.gz` } : {};
}

/** inputsOf are the names of inputs in a state that is not sealed. */
function inputsOf(state: NamedFile): string[] {
  try {
    const { plan } = JSON.parse(text(state)) as { plan?: { inputs?: Record<string, unknown> } };
    return Object.values(plan?.inputs ?? {}).flat().filter((x): x is string => typeof x === "string");
  } catch {
    return []; // sealed
  }
}
