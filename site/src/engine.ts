// The page's side of the engine. The page fetches the module from the one address
// that its policy allows, or unpacks it from itself, holds it against the digest
// that it shows, compiles it, and hands it to a worker that can reach nothing
// (worker.ts).

import type { Failure, Method, Methods, NamedFile, api as EngineAPI } from "../../wasm/engine";
import { about, block } from "./about";
import { hasWebCrypto } from "./capabilities";
import { t } from "./i18n";
import { unpack } from "./lzma";
import type { FromWorker, ToWorker } from "./worker";

/** The version of engine.d.ts that this page speaks. */
const api: typeof EngineAPI = 1;

export type State =
  | { name: "loading"; bytes: number; of: number }
  | { name: "starting" }
  | { name: "ready" }
  | { name: "failed"; reason: string };

export interface CallOptions {
  progress?: ((step: string) => void) | undefined;
  /** Ends the worker: what it was doing is lost, a new one starts at once. */
  signal?: AbortSignal | undefined;
}

/** EngineError is a refusal of the engine, in words for people. */
export class EngineError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
    this.name = "EngineError";
  }
}

/** failureOf is what the engine says about an error, or a failure without words of its own. */
export function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) return error.failure;
  return { kind: "failed", message: error instanceof Error ? error.message : String(error), findings: [] };
}

interface Answer { value: unknown; files: NamedFile[] }

interface Waiting {
  progress: ((step: string) => void) | undefined;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

export class EngineClient {
  private module: Promise<WebAssembly.Module> | undefined;
  private worker: Promise<Worker> | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private readonly watchers: ((state: State) => void)[] = [];
  private last = 0;
  state: State = { name: "loading", bytes: 0, of: about.engine.size };

  /** watch is told every change of state, and the present one at once. */
  watch(watcher: (state: State) => void): void {
    this.watchers.push(watcher);
    watcher(this.state);
  }

  /** start makes the engine ready before it is needed. */
  async start(): Promise<void> {
    await this.running().catch(() => undefined); // the state says it
  }

  /** call runs a method. The data of the files is handed over, and gone afterwards. */
  async call<M extends Method>(method: M, params: object, files: NamedFile[] = [], o: CallOptions = {}): Promise<{ value: Methods[M]["value"]; files: NamedFile[] }> {
    o.signal?.throwIfAborted();
    const worker = await this.running();
    o.signal?.throwIfAborted();
    const id = ++this.last;
    const abort = (): void => this.restart(o.signal?.reason);
    o.signal?.addEventListener("abort", abort, { once: true });
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.waiting.set(id, { progress: o.progress, resolve, reject });
        send(worker, { id, method, params: JSON.stringify(params), files }, buffers(files));
      }) as { value: Methods[M]["value"]; files: NamedFile[] };
    } finally {
      o.signal?.removeEventListener("abort", abort);
      this.waiting.delete(id);
    }
  }

  /** restart ends the worker, with all that is in its memory, and starts a fresh one. */
  restart(reason: unknown = new DOMException("", "AbortError")): void {
    this.end(reason);
    void this.start();
  }

  private end(reason: unknown): void {
    const old = this.worker;
    this.worker = undefined;
    for (const w of this.waiting.values()) w.reject(reason);
    this.waiting.clear();
    old?.then((w) => w.terminate(), () => undefined);
  }

  private become(state: State): void {
    this.state = state;
    for (const w of this.watchers) w(state);
  }

  private running(): Promise<Worker> {
    return this.worker ??= this.begin().catch((error: unknown) => {
      this.worker = undefined;
      this.become({ name: "failed", reason: error instanceof Error ? error.message : String(error) });
      throw error;
    });
  }

  private async begin(): Promise<Worker> {
    // Fetching the worker's file and the module goes side by side.
    const worker = new Worker(scripts.createScriptURL("worker"), { name: "rootkiln" });
    try {
      const module = await (this.module ??= this.load());
      this.become({ name: "starting" });
      await new Promise<void>((resolve, reject) => {
        worker.onerror = (event) => reject(new Error(event.message));
        worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
          if ("ready" in data && data.ready === api) resolve();
          else reject(new Error("ready" in data ? t("shell.otherAPI", { is: data.ready, want: api }) : "stopped" in data ? data.stopped : ""));
        };
        send(worker, { module });
      });
    } catch (error) {
      worker.terminate();
      throw error;
    }
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.hear(data);
    worker.onerror = () => this.restart(stopped());
    this.become({ name: "ready" });
    return worker;
  }

  private hear(m: FromWorker): void {
    if ("stopped" in m) return this.restart(stopped());
    const w = "id" in m && this.waiting.get(m.id);
    if (!w) return;
    if ("progress" in m) w.progress?.(m.progress);
    else if ("value" in m) w.resolve({ value: JSON.parse(m.value), files: m.files });
    else if ("failure" in m) w.reject(m.failure ? new EngineError(JSON.parse(m.failure) as Failure) : stopped());
  }

  /** load gets the module and holds it against its digest. Compiling while it comes
   *  would need a second copy of the stream for the counting, which costs more. */
  private async load(): Promise<WebAssembly.Module> {
    try {
      const { size } = about.engine;
      const count = (n: number): void => this.become({ name: "loading", bytes: n, of: size });
      const bytes = await (about.engine.url ? fetched(about.engine.url, size, count) : carried(count));
      return (await Promise.all([WebAssembly.compile(bytes), verify(bytes)]))[0];
    } catch (error) {
      this.module = undefined;
      throw error;
    }
  }
}

const stopped = (): EngineError => new EngineError({ kind: "failed", message: t("shell.stopped"), findings: [] });

const buffers = (files: NamedFile[]): ArrayBuffer[] => [...new Set(files.map((f) => f.data.buffer as ArrayBuffer))];

function send(worker: Worker, message: ToWorker, transfer: Transferable[] = []): void {
  worker.postMessage(message, transfer);
}

type Bytes = Uint8Array<ArrayBuffer>;

/** fetched is the engine from its address. */
async function fetched(url: string, size: number, count: (bytes: number) => void): Promise<Bytes> {
  // Without WebCrypto the browser itself holds it against the digest; but it then
  // hands over the whole at once.
  const answer = await fetch(url, { credentials: "omit", ...hasWebCrypto() ? {} : { integrity: `sha256-${base64(about.engine.sha256)}` } })
    .catch(() => { throw new Error(t("shell.unreachable")); });
  if (!answer.ok || !answer.body) throw new Error(`${url}: ${answer.status}`);
  return gather(answer.body, size, count);
}

/** carried is the engine that the single file carries. */
async function carried(count: (bytes: number) => void): Promise<Bytes> {
  const text = atob(block("engine"));
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i); // Uint8Array.from takes a second
  const bytes = await unpack(packed, count);
  if (!bytes) throw new Error(t("shell.otherEngine"));
  return bytes;
}

/** base64 is a digest as the integrity of a request has it. */
const base64 = (hex: string): string => btoa(hex.replace(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16))));

/** gather takes a stream of known size, and tells now and then how much has come. */
async function gather(from: ReadableStream<Bytes>, size: number, count: (bytes: number) => void): Promise<Bytes> {
  const all = new Uint8Array(size);
  const step = size / 20; // pieces are small, and drawing each would take longer than all of them
  let at = 0, told = 0;
  for (const reader = from.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return all;
    if (at + value.length > size) throw new Error(t("shell.otherEngine"));
    all.set(value, at);
    at += value.length;
    if (at - told < step) continue;
    count(at);
    told = at;
  }
}

/** verify refuses an engine that is not the one whose digest the page shows. In the
 *  single file without WebCrypto nothing is compared: both are in the same file. */
async function verify(bytes: Bytes): Promise<void> {
  if (!hasWebCrypto()) return;
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = [...sum].map((b) => b.toString(16).padStart(2, "0")).join("");
  if (hex !== about.engine.sha256) throw new Error(t("shell.otherEngine"));
}

// ── scripts ─────────────────────────────────────────────────────────────────

type ScriptName = "worker" | "service worker";

let blob: string | undefined;

/** addresses are the only scripts that the page ever starts. */
const addresses: Record<ScriptName, () => string> = {
  "worker": () => about.worker ?? (blob ??= URL.createObjectURL(new Blob([block("worker")], { type: "text/javascript" }))),
  "service worker": () => "sw.js",
};

interface ScriptPolicy { createScriptURL(name: ScriptName): string }
interface TrustedTypes { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy }

const rules: ScriptPolicy = { createScriptURL: (name) => addresses[name]() };

/** scripts gives addresses to the two places that run one. The page's policy allows
 *  one maker of such addresses, and this is it: it takes a name, not an address. */
export const scripts: ScriptPolicy =
  (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy("rootkiln", rules) ?? rules;
