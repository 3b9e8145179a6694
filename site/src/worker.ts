// The sealed worker. wasm_exec.js of the same Go release stands before this text in
// one file, because the policy of the worker lets nothing be loaded:
//
//	default-src 'none'; script-src 'wasm-unsafe-eval'; connect-src 'none'
//
// The module comes by message. Nothing that runs here can send anything.

import type { Engine, NamedFile } from "../../wasm/engine";

declare class Go {
  importObject: WebAssembly.Imports;
  exit: (code: number) => void;
  run(instance: WebAssembly.Instance): Promise<void>;
}

/** What the page says: the module once, then calls. */
export type ToWorker = { module: WebAssembly.Module } | { id: number; method: string; params: string; files: NamedFile[] };

/** What the worker answers. */
export type FromWorker =
  | { ready: number }
  | { stopped: string }
  | { id: number; progress: string }
  | { id: number; value: string; files: NamedFile[] }
  | { id: number; failure: string };

declare function postMessage(message: FromWorker, transfer?: Transferable[]): void;
const scope = globalThis as unknown as { rootkiln?: Engine; onmessage: (event: MessageEvent<ToWorker>) => void };

scope.onmessage = ({ data }) => {
  if ("module" in data) void begin(data.module).catch((error: unknown) => postMessage({ stopped: String(error) }));
  else void answer(data.id, data.method, data.params, data.files);
};

async function begin(module: WebAssembly.Module): Promise<void> {
  const go = new Go();
  // A program that ends has no more answers: a panic outside of a call, or no memory.
  go.exit = (code) => postMessage({ stopped: `exit ${code}` });
  const instance = await WebAssembly.instantiate(module, go.importObject);
  void go.run(instance).catch((error: unknown) => postMessage({ stopped: String(error) }));
  // Go runs until it waits for the first time, and has installed its function by then.
  postMessage({ ready: scope.rootkiln?.api ?? 0 });
}

async function answer(id: number, method: string, params: string, files: NamedFile[]): Promise<void> {
  try {
    const done = await scope.rootkiln!.call(method, params, files, (progress) => postMessage({ id, progress }));
    postMessage({ id, ...done }, [...new Set(done.files.map((f) => f.data.buffer as ArrayBuffer))]);
  } catch (reason) {
    // The engine rejects with JSON. Anything else stays unsaid: it may quote what
    // was being worked on.
    const text = reason instanceof Error ? reason.message : String(reason);
    postMessage({ id, failure: text.startsWith("{") ? text : "" });
  }
}
