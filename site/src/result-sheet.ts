// The print sheet: what belongs on paper beside the safe. No key is on it.

import type { EngineClient } from "./engine";
import { t } from "./i18n";
import { qrImage } from "./qr-view";
import type { Result } from "./result";
import { date, fingerprint, h, replace, table } from "./ui";

/** printSheet is seen on paper alone (print.css). */
export function printSheet(r: Result, engine: EngineClient): HTMLElement {
  const { receipt } = r;
  const code = h("div", { class: "qr-print" });
  void qrImage(engine, receipt.rootSHA256, t("result.rootQR")).then((img) => replace(code, img), () => {});
  const fact = (label: string, value: string | HTMLElement): HTMLElement[] => [h("dt", null, label), h("dd", null, value)];
  return h("section", { class: "print-sheet", "aria-hidden": true },
    h("h1", null, t("sheet.title")),
    h("dl", { class: "facts" },
      fact(t("make.cluster"), [receipt.distro, r.name || "—", t(`make.${receipt.topology}`)].join(" · ")),
      fact(t("sheet.made"), receipt.time),
      fact(t("result.token"), h("code", null, receipt.token)),
      fact(t("make.digest"), fingerprint(receipt.planDigest))),
    h("h2", null, t("result.root")),
    h("div", { class: "identity" }, h("p", { class: "large" }, fingerprint(receipt.rootSHA256)), code),
    table({
      caption: t("result.certificates", { n: receipt.certificates.length }), titled: true,
      head: [t("draw.certificate"), t("draw.until"), "SHA-256"],
      rows: receipt.certificates.map((c) => ({ cells: [c.name, date(c.notAfter), fingerprint(c.sha256)] })),
    }),
    h("p", null, t("sheet.check")),
    h("div", { class: "sign" }, ["sheet.place", "sheet.witness", "sheet.witness"].map((k) => h("p", null, t(k)))));
}
