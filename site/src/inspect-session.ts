// What one visit to Inspect holds. It outlives the view, which is built anew in
// another language, and lives in this tab's memory alone.

import type { Rotation } from "../../wasm/engine";
import type { EngineClient } from "./engine";
import { t } from "./i18n";
import type { Answer, Drop } from "./inspect-call";
import type { Report } from "./inspect-overview";
import type { Tier } from "./make-plan";
import { confirmLoss } from "./ui";

export const views = ["overview", "certificates", "check", "against", "compare", "rotate"] as const;
export type View = (typeof views)[number];

export interface Node { label: string; drop: Drop }

/** What is asked of a rotation. */
export interface RotationForm {
  way: "cas" | "roots" | "same" | "service";
  /** Of a change of roots: "" is a and b at once. */
  step: "" | "a" | "b" | "c";
  /** CAs that change; all five: whatever the keys reach. */
  only: string[];
  topology: "" | "isolated" | "shared";
  newIntermediate: boolean;
  newServiceKey: boolean;
  prune: boolean;
  /** Algorithms and lifetimes; blank: as in the cluster. */
  keys: Record<Tier, string>;
  life: Record<Exclude<Tier, "service">, string>;
  /** Names of certificates among the keys that stand over server-ca from now on. */
  root: string;
  intermediate: string;
  seal: "none" | "passphrase" | "recipients";
  recipients: string;
  held: Drop[];
}

export interface Rotated { answer: Answer<Rotation>; saved: Set<string>; sealed: boolean }

export interface Session {
  drop?: Drop;
  report?: Report;
  view: View;
  /** The date of the expiry check and its window. */
  at: string;
  within: string;
  second?: Drop;
  /** Which of the two drops runs now. */
  runs: "first" | "second";
  nodes: Node[];
  staged?: Drop;
  rotation: RotationForm;
  rotated?: Rotated;
  /** A rotation is being made. */
  busy: boolean;
}

export const authorities = ["server-ca", "client-ca", "request-header-ca", "etcd-peer-ca", "etcd-server-ca"] as const;

const blankRotation = (): RotationForm => ({
  way: "cas", step: "", only: [...authorities], topology: "", newIntermediate: false, newServiceKey: false, prune: false,
  keys: { root: "", intermediate: "", ca: "", service: "" }, life: { root: "", intermediate: "", ca: "" },
  root: "", intermediate: "", seal: "none", recipients: "", held: [],
});

export const today = (): string => new Date().toISOString().slice(0, 10);

export const blank = (): Session => ({
  view: "overview", at: today(), within: "120d", runs: "first", nodes: [], rotation: blankRotation(), busy: false,
});

export const session: Session = blank();

/** begin starts over with another drop, or with none. */
export function begin(drop?: Drop): void {
  for (const key of ["drop", "report", "second", "staged", "rotated"] as const) delete session[key];
  Object.assign(session, blank(), drop ? { drop } : {});
  guard();
}

/** unsaved says whether keys would be lost with the tab. */
export const unsaved = (): boolean => session.busy || session.rotated !== undefined &&
  session.rotated.answer.files.some((f) => !session.rotated!.saved.has(f.name));

function askBeforeLeaving(event: BeforeUnloadEvent): void { event.preventDefault(); }

/** guard puts the browser's own question before leaving, only while it is needed. */
export function guard(): void {
  if (unsaved()) window.addEventListener("beforeunload", askBeforeLeaving);
  else window.removeEventListener("beforeunload", askBeforeLeaving);
}

/** sure asks before keys are dropped that nobody saved; true at once where none are. */
export async function sure(): Promise<boolean> {
  return !unsaved() || confirmLoss(t("rotate.unsavedTitle"), t("rotate.unsavedText"), t("rotate.unsavedDrop"));
}

/** Context is what every view of a drop gets. */
export interface Context {
  engine: EngineClient;
  drop: Drop;
  report: Report;
  /** Draws the present view again. */
  redraw: () => void;
  /** Goes to another view of the same drop. */
  show: (view: View) => void;
  /** Begins anew with another drop. */
  open: (drop: Drop, before?: (s: Session) => void) => void;
}
