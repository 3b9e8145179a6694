// How to verify this page: what is guaranteed, by whom, and what is not; and the
// numbers that are compared.

import { about } from "./about";
import { t } from "./i18n";
import { button, copyButton, fingerprint, h, size, uid, type Child } from "./ui";

/** The text in the order in which it is read: a heading and a paragraph each. */
const parts = ["hosted", "file", "command", "sealed", "leaks", "memory", "stores"];

/** showVerify opens the dialog. */
export function showVerify(): void {
  const id = uid("verify");
  const dialog = h("dialog", { class: "verify", "aria-labelledby": id, onclose: () => dialog.remove() },
    h("div", { class: "row spread" }, h("h2", { id }, t("shell.verify")), button(t("shell.close"), () => dialog.close(), "quiet", { autofocus: true })),
    h("div", { class: "verify-text", tabindex: 0, role: "group", "aria-labelledby": id },
      numbers(),
      parts.map((part) => h("section", null, h("h3", null, t(`shell.verify.${part}.title`)), h("p", null, t(`shell.verify.${part}`))))));
  document.body.append(dialog);
  dialog.showModal();
}

function numbers(): HTMLElement {
  const hash = (hex: string): Child => [fingerprint(hex), " ", copyButton(hex)];
  const rows: [string, Child][] = [
    [t("shell.version"), about.version],
    [t("shell.commit"), about.commit ? h("code", { translate: "no" }, about.commit) : t("shell.unknown")],
    [t("shell.engineHash"), hash(about.engine.sha256)],
  ];
  // The single file cannot hold its own digest: it says where to look instead.
  if (about.file) {
    rows.push([t("shell.fileHash"), [hash(about.file.sha256),
      h("p", null, h("a", { href: about.file.url, download: "rootkiln.html" }, t("shell.save", { size: size(about.file.size) })))]]);
  } else {
    rows.push([t("shell.fileHash"), t("shell.fileHashHere")]);
  }
  return h("dl", { class: "facts numbers" }, rows.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
}
