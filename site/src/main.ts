// The page: a shell, two tabs, one engine. Make comes first and alone; the other
// tab and the other language follow while somebody reads.

import { read } from "./address";
import { missing, missingPanel } from "./capabilities";
import { EngineClient } from "./engine";
import { learn } from "./i18n";
import { mountMake } from "./make";
import { Shell, type View } from "./shell";

const engine = new EngineClient();
const lacking = missing();
const unable: View = (host) => host.replaceChildren(missingPanel(lacking));

function begin(): void {
  if (lacking.length > 0) return new Shell(engine, { make: unable, inspect: unable }).draw();
  const inspect = import("./inspect");
  const shell = new Shell(engine, {
    make: (host) => mountMake(host, engine),
    inspect: (host) => void inspect.then((i) => i.mountInspect(host, engine)),
  });
  shell.draw();
  void inspect.then((i) => shell.dropAnywhere(i.dropInInspect));
  void Promise.all([learn("en"), learn("zh")]);
}

if (lacking.length === 0) void engine.start();
void learn(read().lang).then(begin);
