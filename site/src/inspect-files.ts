// Reading what was dropped: which files can hold certificates is decided by name
// and size before anything is read, so that a disk image or a whole data directory
// costs nothing. What is left out and what cannot be read is kept by name.

import type { NamedFile } from "../../wasm/engine";
import type { Item, Source } from "./drop";

/** What one drop may bring in; the engine has the same bounds or wider ones. */
export const bounds = {
  /** Bytes of one file of certificates: the largest that k3s keeps has a few kilobytes. */
  file: 1_000_000,
  /** Bytes of an archive, and of all files together. */
  total: 64_000_000,
  /** Files that can hold certificates. */
  files: 5_000,
  /** Entries of folders that are looked at. */
  entries: 200_000,
};

const certificateEnding = /\.(crt|pem|cer|key|json|kubeconfig|conf|ya?ml|csr)$/i;
const archiveEnding = /(\.(tar|tgz|age)|\.gz)$/i;
/** Names without an ending that are worth reading: the join token of a server. */
const bareNames = ["token", "agent-token"];

/** Directories of a live node that hold what others made: images with the CA
 *  bundles of the world in them, the datastore, volumes. The command line passes
 *  them over too. */
const foreignGround = [
  "agent/containerd", "agent/images", "agent/logs", "server/db", "server/manifests", "server/static",
  "k3s/data", "k3s/storage", "rke2/data", "rke2/storage", "kubelet/pods", "kubelet/plugins", ".git", "node_modules",
];

export type Reason = "ending" | "size" | "ground" | "unreadable" | "empty";
export interface LeftOut { name: string; reason: Reason; size: number }

/** What came of a drop. */
export interface Gathered {
  files: NamedFile[];
  /** Left out or unreadable; of endings only as many as `kept`. */
  left: LeftOut[];
  /** Files passed over for their ending alone. */
  passed: number;
  seen: number;
}

/** Beyond says that a drop holds more than the page reads, and of what. */
export class Beyond extends Error {
  constructor(readonly what: "files" | "entries" | "total", readonly amount: number) { super(what); }
}

export interface Watch {
  signal: AbortSignal;
  progress: (seen: number, taken: number, name: string) => void;
}

interface Candidate { file: File; name: string }

/** How many names of files with foreign endings are kept for the list. */
const kept = 200;
/** Entries between two breaths: the page answers in between. */
const breath = 400;

/** gather finds, chooses and reads. Throws [Beyond], or an AbortError when cancelled. */
export async function gather(sources: Source[], watch: Watch): Promise<Gathered> {
  const search = new Search(watch);
  for (const source of sources) {
    // What is dropped by itself is meant, whatever its name.
    if (source instanceof File) await search.consider(source, source.webkitRelativePath || source.name, !source.webkitRelativePath);
    else await search.walk(source);
  }
  return search.read();
}

class Search {
  private readonly found: Candidate[] = [];
  private readonly left: LeftOut[] = [];
  private passed = 0;
  private seen = 0;
  private bytes = 0;
  private rested = 0;

  constructor(private readonly watch: Watch) {}

  async walk({ path, directory, file, children }: Item): Promise<void> {
    if (!directory) {
      // Names decide before the browser is asked for the file itself: in a data
      // directory nearly all of them are of no interest.
      if (!fits(path)) return this.pass(path);
      const got = await file().catch(() => null);
      if (got === null) this.left.push({ name: path, reason: "unreadable", size: 0 });
      else await this.consider(got, path, false);
      return;
    }
    if (isForeign(path)) { this.left.push({ name: `${path}/`, reason: "ground", size: 0 }); return; }
    const inside = children()[Symbol.asyncIterator]();
    for (;;) {
      const next = await inside.next().catch(() => null);
      if (next === null) { this.left.push({ name: `${path}/`, reason: "unreadable", size: 0 }); return; }
      if (next.done) return;
      await this.walk(next.value);
    }
  }

  async consider(file: File, name: string, alone: boolean): Promise<void> {
    if (!alone && (!fits(name) || isForeign(name))) return this.pass(name);
    await this.step(name);
    const limit = archiveEnding.test(name) || (alone && !certificateEnding.test(name)) ? bounds.total : bounds.file;
    if (file.size > limit) { this.left.push({ name, reason: "size", size: file.size }); return; }
    if (file.size === 0) { this.left.push({ name, reason: "empty", size: 0 }); return; }
    this.found.push({ file, name });
    this.bytes += file.size;
    if (this.found.length > bounds.files) throw new Beyond("files", this.found.length);
    if (this.bytes > bounds.total) throw new Beyond("total", this.bytes);
  }

  private async pass(name: string): Promise<void> {
    this.passed++;
    if (this.passed <= kept) this.left.push({ name, reason: "ending", size: 0 });
    await this.step(name);
  }

  /** Counts an entry, and lets the page breathe now and then. */
  private async step(name: string): Promise<void> {
    this.watch.signal.throwIfAborted();
    if (++this.seen > bounds.entries) throw new Beyond("entries", this.seen);
    if (this.seen - this.rested < breath) return;
    this.rested = this.seen;
    this.watch.progress(this.seen, this.found.length, name);
    await new Promise((ok) => { setTimeout(ok); });
  }

  async read(): Promise<Gathered> {
    const files: NamedFile[] = [];
    for (const { file, name } of this.found) {
      this.watch.signal.throwIfAborted();
      if (files.length % 50 === 0) this.watch.progress(this.seen, this.found.length, name);
      try {
        files.push({ name, data: new Uint8Array(await file.arrayBuffer()), time: new Date(file.lastModified).toISOString() });
      } catch { // moved, no permission, a socket
        this.left.push({ name, reason: "unreadable", size: file.size });
      }
    }
    return { files, left: this.left, passed: this.passed, seen: this.seen };
  }
}

const baseOf = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
const fits = (name: string): boolean => certificateEnding.test(name) || archiveEnding.test(name) || bareNames.includes(baseOf(name));
const isForeign = (name: string): boolean => foreignGround.some((g) => `/${name}/`.includes(`/${g}/`));

/** nodesOf parts a drop that holds several servers, by the folders in which they
 *  differ: copies/n1/server/tls and copies/n2/server/tls are n1 and n2. */
export function nodesOf(files: NamedFile[]): { label: string; files: NamedFile[] }[] {
  // The agent has copies of other CA files; this one is on servers alone.
  const servers = files.map((f) => f.name.split("/")).filter((p) => p.at(-1) === "request-header-ca.crt" && !p.some((d) => /^(tls[.-].+|rotate-ca)$/.test(d)));
  const archives = files.filter((f) => archiveEnding.test(f.name));
  if (servers.length === 0 && archives.length > 1) return archives.map((f) => ({ label: f.name, files: [f] }));
  const first = servers[0];
  if (!first || servers.length < 2) return [];
  const at = first.findIndex((part, i) => servers.some((s) => s[i] !== part));
  const names = [...new Set(servers.map((s) => s[at] ?? ""))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return names.map((label) => ({ label, files: files.filter((f) => f.name.split("/")[at] === label) }));
}

/** labelOf names a drop for people: its folder, its only file, or the first of several. */
export function labelOf(files: NamedFile[]): string {
  const tops = [...new Set(files.map((f) => f.name.split("/")[0] ?? ""))];
  return tops.length <= 1 ? tops[0] ?? "" : `${tops[0]} +${tops.length - 1}`;
}
