// The grounds on which the page is tried, and the stories that are told on them.
//
//	make build                                       the page and the program
//	cd site && node --test test/                     everything, on all four grounds
//	GROUND=firefox-file node --test --test-name-pattern='own root' test/make.test.mjs
//
// Environment:
//	GROUND    runs only grounds whose name holds this (chromium-hosted,
//	          chromium-file, firefox-hosted, firefox-file; so "file" takes two)
//	SHOTS     folder for the screenshots that stories take; without it none is taken
//	PAGE      folder of the page's build, if not site/dist
//	ROOTKILN  the program, if not bin/rootkiln
//
// A story clicks the page as a person would and gets a visitor (visitor.mjs). It
// fails at the end for whatever nobody expected: an error or warning on the
// console, an exception, a breach of the policy, a request after the page had
// loaded.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { end, grounds, scratch } from "./grounds.mjs";
import { Visitor } from "./visitor.mjs";

export { build, cross, grounds, rootkiln } from "./grounds.mjs";

/** What a story may take; the slowest reads fourteen QR codes, in twenty seconds. */
const limit = 180_000;

after(end);

/**
 * story tells one on every ground, or on those whose names match `on`: a story
 * whose ground cannot matter is told on one, and says why.
 *
 * @param {string} name
 * @param {{on?: RegExp}} options
 * @param {(visitor: Visitor, ground: object) => Promise<void>} body
 */
export function story(name, options, body) {
  for (const ground of grounds.filter((g) => (options.on ?? /^/).test(g.name))) {
    test(`${name} [${ground.name}]`, { timeout: limit }, async (t) => {
      const folder = mkdtempSync(join(scratch, "story-"));
      const inbox = mkdtempSync(join(folder, "inbox-"));
      const context = await (await ground.launch()).createBrowserContext({
        downloadBehavior: { policy: "allow", downloadPath: inbox },
      });
      const visitor = new Visitor({ context, ground, folder, inbox, shots: process.env.SHOTS });
      try {
        await visitor.open();
        await body(visitor, ground);
        await visitor.settle();
      } catch (error) {
        t.diagnostic(await visitor.account().catch((e) => String(e)));
        throw error;
      } finally {
        await context.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
}
