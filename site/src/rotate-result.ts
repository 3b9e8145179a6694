// What a rotation came to: the answer of `rotate-ca`, the two archives, the token
// before and after, and what to do in which order.

import type { NamedFile, Rotation } from "../../wasm/engine";
import { bundleOf, fullToken, part } from "./handover";
import { t } from "./i18n";
import { rulingCard, tokensCard } from "./inspect-against";
import { dropFrom } from "./inspect-drop";
import { findingsCard } from "./inspect-findings";
import { guard, session, sure, type Context, type Rotated } from "./inspect-session";
import { roleName, term } from "./inspect-words";
import { button, command, h, mark, prose, type Child } from "./ui";

/** rotatedView is the outcome of one rotation. Findings and steps stay in the language
 *  in which it was made: the same keys cannot be made twice. */
export function rotatedView(c: Context, r: Rotated): HTMLElement {
  const { value } = r.answer;
  const tag = r.answer.lang === "zh" ? "zh-Hans" : r.answer.lang;
  const broken = value.findings.some((f) => f.severity === "error");
  return h("div", { class: "rotated stack wide" },
    h("header", { class: "row spread" }, h("h2", { tabindex: -1 }, mark(broken ? "error" : "ok"), " ", t(broken ? "rotate.madeBroken" : "rotate.made")),
      h("div", { class: "row" }, button(t("rotate.again"), () => void again(c), "quiet"))),
    h("div", { class: "columns" },
      h("div", { class: "stack wide" }, rulingCard(value), downloads(c, r, broken), stepsCard(value, tag)),
      h("div", { class: "stack wide" }, changes(value), tokensCard(value, () => fullToken(c.engine, bundleOf(r.answer.files[0]!))),
        findingsCard(value.findings, { lang: tag }))));
}

async function again(c: Context): Promise<void> {
  if (!await sure()) return;
  for (const f of session.rotated?.answer.files ?? []) f.data.fill(0);
  delete session.rotated;
  guard();
  c.redraw();
}

function downloads(c: Context, r: Rotated, broken: boolean): HTMLElement {
  const [server, offline] = r.answer.files;
  const row = (file: NamedFile, kind: "server" | "offline"): HTMLElement => part({
    file, kind, title: t(`rotate.${kind}`), hint: t(`rotate.${kind}Hint`), saved: r.saved, onsaved: guard,
    button: broken && kind === "server" ? "big" : "primary big",
  });
  return h("section", { class: "card stack", "aria-labelledby": "rotate-files" }, h("h2", { id: "rotate-files" }, t("rotate.files")),
    broken && h("div", { class: "box error" }, t("rotate.broken")),
    server && row(server, "server"), offline ? row(offline, "offline") : h("p", { class: "hint" }, t("rotate.noOffline")),
    server && h("div", { class: "row" }, button(t("rotate.look"), () => { c.open(dropFrom([server]), (s) => { s.second = c.drop; s.runs = "second"; }); }, "quiet")));
}

function changes(r: Rotation): HTMLElement {
  const names = (roles: string[]): Child => roles.length > 0 && roles.map(roleName).join(t("ui.comma"));
  const rows: [string, Child][] = [
    [t("rotate.change"), term("rotate.change", r.change)],
    [t("rotate.changed"), names(r.changed)], [t("rotate.kept"), names(r.kept)], [t("rotate.roots"), names(r.roots)],
    [t("inspect.role.service"), r.serviceKey && t("rotate.serviceNew")],
  ];
  return h("section", { class: "card stack" }, h("h2", null, t("rotate.changes")),
    h("dl", { class: "facts" }, rows.filter(([, v]) => v).map(([k, v]) => [h("dt", null, k), h("dd", null, v)])));
}

/** stepsCard numbers what is to do, each step with the machine it is done on. */
function stepsCard(r: Rotation, lang: string): HTMLElement {
  return h("section", { class: "card stack", "aria-labelledby": "rotate-steps" },
    h("div", { class: "row spread" }, h("h2", { id: "rotate-steps" }, t("rotate.stepsTitle")), button(t("rotate.print"), () => window.print(), "quiet")),
    h("ol", { class: "steps", lang }, r.steps.map((s) => h("li", null,
      h("p", null, h("b", null, t("rotate.at", { at: s.at })), " ", prose(s.what)),
      s.commands.length > 0 && command(s.commands.join("\n"))))));
}
