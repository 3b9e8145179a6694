// The engine of the page: the Go core as WebAssembly behind one function.
// API 1. Everything that comes in and goes out is JSON, or bytes beside it.

/** The newest API that an engine speaks; a page refuses an engine with another. */
export const api: 1;

export type Lang = "en" | "zh";
export type Severity = "error" | "warning" | "notice";

/** A file by name. Names are paths with forward slashes; nothing is opened by them. */
export interface NamedFile {
  name: string;
  data: Uint8Array;
  /** Permission bits, where the source knows them. */
  mode?: number;
  /** Modification time, RFC 3339. */
  time?: string;
}

/** Installed by the engine as globalThis.rootkiln when it has started. */
export interface Engine {
  api: number;
  /** Params and value are JSON of the types below. Rejects with a JSON [Failure]. */
  call(method: string, params: string, files: NamedFile[], progress: (step: string) => void): Promise<{ value: string; files: NamedFile[] }>;
}

export interface Failure {
  /** usage: the caller's fault; refused: findings say why; passphrase, token (the cluster's server token):
   *  wrong or missing; failed: anything else. */
  kind: "usage" | "refused" | "passphrase" | "token" | "failed";
  /** One sentence in the language asked for, without secrets. */
  message: string;
  findings: Finding[];
  /** Name of the file that wants a passphrase or a token. */
  file?: string;
}

/** A finding with its sentences in the language of the call. */
export interface Finding {
  code: string;
  severity: Severity;
  subject: string;
  args?: Record<string, string>;
  what: string;
  why: string;
  fix: string;
}

/** Of every call. */
export interface Common {
  lang: Lang;
  /** RFC 3339: the clock of the page. */
  now: string;
}

/** A range of the call's files that belong together: a folder, an archive, loose files. */
export interface FileSet {
  label: string;
  first: number;
  count: number;
  /** Opens an age archive, an encrypted key or, as the server token, bootstrap data in this set. */
  passphrase?: string;
}

export interface Step {
  done: number;
  total: number;
  role: string;
  name: string;
  key: string;
  /** Milliseconds of this step. */
  elapsed: number;
  /** "start" before a key is made, "done" after it. */
  phase: "start" | "done";
}

// ── methods ─────────────────────────────────────────────────────────────────

/** Every method, what it takes and what it gives. A Go test holds this file against
 *  the engine. */
export interface Methods {
  version: { params: Common; value: Version };
  /** A plan that people wrote, JSON or plain YAML, comes back as JSON. */
  parse: { params: ParseParams; value: Parsed };
  /** Files: the inputs that plan.inputs names. */
  plan: { params: PlanParams; value: Planned };
  /** Files in: the same; out: server archive, offline archive (none without offline keys). */
  make: { params: PlanParams; value: Receipt };
  /** Files out: ROLE.csr…, plan.json, state.json (secret; sealed if asked). */
  request: { params: PlanParams; value: Requested };
  /** Files in: state, signed chains, inputs; out: as make. */
  resume: { params: ResumeParams; value: Receipt };
  /** Files in: plan.json, request, issuer, key; out: ROLE.crt. */
  sign: { params: SignParams; value: Signed };
  inspect: { params: ReportParams; value: Inspection };
  verify: { params: ReportParams; value: Verification };
  check: { params: CheckParams; value: ExpiryReport };
  compare: { params: CompareParams; value: Comparison };
  /** Files out: server archive, offline archive (none where no root or intermediate was made). */
  rotate: { params: RotateParams; value: Rotation };
  token: { params: TokenParams; value: FullToken };
  /** Files out: what the format consists of. */
  export: { params: ExportParams; value: Exported };
  /** Files out: a kubeconfig, or certificate and key. */
  admin: { params: AdminParams; value: Admin };
  qr: { params: QRParams; value: QRCode };
}

export type Method = keyof Methods;

// The reports are those of the command line's -o json, with findings explained.

export interface Version {
  api: number;
  version: string;
  /** Of Go. */
  go: string;
}

export interface ParseParams extends Common { document: string }
export interface Parsed { document: string }

export interface PlanParams extends Common {
  /** As plan.json of the command line; inputs name files of the call. */
  plan?: Record<string, unknown>;
  /** Passphrases of encrypted input keys, by file name. */
  passphrases?: Record<string, string>;
  /** age recipients or SSH public keys, for the offline part or the state. */
  recipients?: string[];
  /** A passphrase in their place (age, scrypt: 256 MiB for seconds). */
  sealPassphrase?: string;
  /** Base names, default tls.tar.gz and tls-offline.tar.gz. */
  server?: string;
  offline?: string;
}

export interface Planned {
  /** Every blank filled. */
  resolved: Record<string, unknown>;
  digest: string;
  /** Trees of who signs whom, down to the leaf certificates of the distribution. */
  topology: Branch[];
  lives: { role: string; name: string; from: string; until: string }[];
  files: { path: string; mode: string; part: Part; content: string }[];
  findings: Finding[];
  /** The command line that makes the same. */
  command: string;
  /** The plan as YAML-compatible JSON for a file. */
  document: string;
  /** Roles whose certificates must be signed elsewhere. */
  requests: string[];
  /** Keys that will be made, in order. */
  keys: { role: string; name: string; key: string }[];
}

export type Part = "server" | "offline";

export interface Branch {
  role: string;
  name: string;
  note: string;
  kind: "root" | "intermediate" | "ca" | "leaf" | "service";
  existing: boolean;
  elsewhere: boolean;
  until?: string;
  children: Branch[];
}

export interface ResumeParams extends PlanParams {
  /** Names of files. */
  state: string;
  signed: string[];
  statePassphrase?: string;
}

export interface Receipt {
  distro: string;
  /** Of the cluster. */
  name?: string;
  topology: string;
  profile: string;
  time: string;
  planDigest: string;
  /** Names of the archives. */
  server: string;
  offline?: string;
  rootSHA256: string;
  token: string;
  tokenMode: string;
  tokenUntil: string;
  ends: string;
  /** The role that ends then. */
  endsFirst: string;
  files: { path: string; mode: string; size: number; part: Part; kind: string }[];
  certificates: { role: string; name: string; subject: string; sha256: string; notAfter: string; made: boolean }[];
  /** What to do next, with commands. */
  install: { code: string; title: string; text: string; commands: string[] }[];
  findings: Finding[];
}

export interface Requested {
  planDigest: string;
  requests: { role: string; name: string; issuer: string; file: string; publicKeySHA256: string }[];
  findings: Finding[];
}

export interface SignParams extends Common {
  /** Names of files. */
  plan: string;
  request: string;
  issuer: string;
  key: string;
  passphrases?: Record<string, string>;
}

export interface Signed {
  role: string;
  subject: string;
  issuer: string;
  sha256: string;
  notAfter: string;
  rootSHA256: string;
  planDigest: string;
  publicKeySHA256: string;
  findings: Finding[];
}

// ── judging ─────────────────────────────────────────────────────────────────

export interface ReportParams extends Common {
  set: FileSet;
  /** Judges at this time; now if it is not there. */
  at?: string;
  /** Of verify: what runs and is to be replaced. */
  against?: FileSet;
}

export interface Place {
  file: string;
  /** Inside of JSON or YAML. */
  field?: string;
  /** From 1, among the certificates or keys there. */
  index: number;
}

export interface Inspection {
  at: string;
  /** A forest: each stands behind its parent. */
  certificates: Certificate[];
  keys: PrivateKey[];
  findings: Finding[];
}

export interface Certificate {
  places: Place[];
  role?: string;
  /** Index of the issuer, -1: none here. */
  parent: number;
  otherParents: number[];
  depth: number;
  name: string;
  subject: string;
  issuer: string;
  selfSigned: boolean;
  serial: string;
  /** SHA-256 of the certificate and of its public key, hexadecimal. */
  fingerprint: string;
  key: string;
  keyFingerprint: string;
  signatureAlgorithm: string;
  notBefore: string;
  notAfter: string;
  daysLeft: number;
  status: "valid" | "expired" | "not-yet-valid";
  ca: boolean;
  pathLength: number | null;
  keyUsage: string[];
  extKeyUsage: string[];
  names: string[];
  nameConstraints: string[];
  subjectKeyID: string;
  authorityKeyID: string;
}

export interface PrivateKey extends Place {
  role?: string;
  format: string;
  /** Empty where the key cannot be opened. */
  algorithm: string;
  keyFingerprint: string;
  /** Index of the certificate that has this key, -1: none here. */
  certificate: number;
}

export interface Token {
  token: string;
  hash: string;
  mode: "root" | "file" | "fallback";
  root?: string;
  until?: string;
  reason?: string;
}

export interface Tally { run: number; failed: number }

export interface Verification {
  at: string;
  distro: string;
  /** Of the CA files; empty where there are none. */
  directory: string;
  topology?: string;
  token?: Token;
  probes: { go: Tally; path: Tally; skipped: number };
  /** Certificates under one CA that are accepted where those of others belong. */
  openings: { from: string; to: string[] }[];
  nextExpiry?: { file: string; field?: string; index: number; name: string; end: string };
  /** What it is to replace, where that was given. */
  against?: Against;
  findings: Finding[];
}

/** What stands against what runs now, and what `rotate-ca` answers. */
export interface Against {
  directory: string;
  topology?: string;
  token?: Token;
  tokenKept: boolean;
  ruling: Ruling | null;
  /** Codes of errors that --force would carry into the cluster unseen. */
  forceHides: string[];
}

export interface Ruling {
  saved: boolean;
  files: { field: string; path: string; offered: boolean; refused?: string; log?: string }[];
  log?: string;
}

export interface CheckParams extends Common {
  set: FileSet;
  at?: string;
  /** A lifetime, as 120d. */
  within?: string;
}

export interface ExpiryReport {
  at: string;
  withinDays: number;
  alarm: boolean;
  Certificates: ExpiryRow[];
  findings: Finding[];
  remedies: Remedy[];
  /** Of a node of kubeadm: what `kubeadm certs check-expiration -o json` prints. */
  kind?: string;
  apiVersion?: string;
  certificates?: KubeadmCertificate[];
  certificateAuthorities?: KubeadmCertificate[];
}

/** The fields with a capital letter are those of `k3s certificate check -o json`. */
export interface ExpiryRow {
  Filename: string;
  Subject: string;
  Issuer: string;
  Usages: string[];
  ExpiryTime: string;
  ResidualTime: number;
  Status: "OK" | "WARNING" | "EXPIRED" | "NOT YET VALID";
  path: string;
  field?: string;
  index: number;
  node: string;
  distro?: string;
  kind: string;
  kubeadmName?: string;
  notBefore: string;
  notAfter: string;
  daysLeft: number;
  fingerprint: string;
  /** Of all places of this certificate, the one to name. */
  first: boolean;
  copies: number;
  restart?: string;
  caExpiryTime?: string;
  staleSigner?: boolean;
}

export interface KubeadmCertificate {
  name: string;
  expirationDate: string | null;
  residualTime: number;
  externallyManaged: boolean;
  caName?: string;
  missing: boolean;
}

/** Commands that mend something, with the sentence that says what they do. */
export interface Remedy { code: string; node: string; for: string[]; commands: string[]; what: string }

export interface CompareParams extends Common {
  sets: FileSet[];
  /** What rotate-ca was given. */
  staged?: FileSet;
}

export interface Comparison {
  at: string;
  equal: boolean;
  nodes: ComparedNode[];
  files: { path: string; cells: Cell[] }[];
  findings: Finding[];
  remedies: Remedy[];
}

export interface Cell {
  state: "same" | "new" | "old" | "other" | "missing" | "unknown";
  sha256?: string;
  time?: string;
  certificate?: string;
  notBefore?: string;
}

export interface ComparedNode {
  name: string;
  directory?: string;
  distro?: string;
  dump?: boolean;
  token?: Token;
  tokenFileHash?: string;
  started?: string;
  server?: string;
  leaves: number;
  staleLeaves: string[];
}

// ── changing ────────────────────────────────────────────────────────────────

export interface RotateParams extends PlanParams {
  old: FileSet;
  held: FileSet[];
  /** Names of files in held; empty: found in the cluster's chains. */
  root?: string;
  intermediate?: string;
  only?: string[];
  newRoot?: boolean;
  step?: "" | "a" | "b" | "c";
  newIntermediate?: boolean;
  sameKey?: boolean;
  newServiceKey?: boolean;
  serviceKeyOnly?: boolean;
  prune?: boolean;
}

export interface Rotation extends Verification {
  change: string;
  changed: string[];
  kept: string[];
  roots: string[];
  serviceKey: boolean;
  against: Against;
  steps: RotationStep[];
  server: string;
  offline?: string;
  time: string;
}

/** One thing to do: at a machine, what for, and its commands. */
export interface RotationStep { code: string; where: string; commands: string[]; what: string; at: string }

export interface TokenParams extends Common {
  set: FileSet;
  /** The secret behind the hash: gives the full token. */
  password?: string;
}

export interface FullToken extends Token { full?: string }

export interface ExportParams extends Common {
  set: FileSet;
  format: string;
  name?: string;
  namespace?: string;
}

export interface Exported {
  format: string;
  /** Private keys are in it. */
  keys: boolean;
  size: number;
  /** Bytes that not every recipient takes more than. */
  limit?: number;
}

export interface AdminParams extends Common {
  set: FileSet;
  validity?: string;
  /** Address of the API server. */
  server?: string;
  user?: string;
  groups?: string[];
  /** Certificate and key in place of a kubeconfig. */
  certificate?: boolean;
}

export interface Admin {
  user: string;
  groups: string[];
  server?: string;
  notAfter: string;
  sha256: string;
  /** Groups that open everything. */
  unlimited: string[];
  /** It ends with the CA, earlier than asked for. */
  cut: boolean;
}

export interface QRParams extends Common { text: string }

/** Size counts the modules on a side, margin included; path is what is dark. */
export interface QRCode { size: number; svg: string; path: string }
