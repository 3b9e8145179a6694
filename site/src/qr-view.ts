// Showing codes, and reading them by camera or from pictures.

import type { NamedFile } from "../../wasm/engine";
import type { EngineClient } from "./engine";
import { t } from "./i18n";
import { Collector, decode, split, type Collected } from "./qr";
import { announce, button, dropZone, h, replace, type Child } from "./ui";

/** qrImage is one code as a picture; the quiet zone is white in both themes. */
export async function qrImage(engine: EngineClient, text: string, alt: string): Promise<HTMLImageElement> {
  const { value } = await engine.call("qr", { text });
  return h("img", { class: "qr", alt, src: `data:image/svg+xml,${encodeURIComponent(value.svg)}` });
}

/** What stands between two frames of a row of codes: long enough for a camera that reads six a second. */
const frameTime = 900;

/** qrShow shows files as one row of codes that go round, each with a number. */
export function qrShow(engine: EngineClient, files: { name: string; text: string }[]): HTMLElement {
  const frames = files.flatMap((f) => split(f.name, f.text).map((text) => ({ text, name: f.name })));
  const images: (HTMLImageElement | undefined)[] = [];
  const place = h("div", { class: "qr-place" });
  const caption = h("span", { class: "hint" });
  let at = 0, timer = 0;
  const show = async (to: number, spoken = false): Promise<void> => {
    at = (to + frames.length) % frames.length;
    const now = at, frame = frames[at]!;
    const label = frames.length === 1 ? frame.name : t("qr.frame", { n: at + 1, of: frames.length, name: frame.name });
    images[now] ??= await qrImage(engine, frame.text, t("qr.alt", { label }));
    if (now !== at) return; // another frame was asked for meanwhile
    replace(place, images[now]);
    caption.textContent = label;
    if (spoken) announce(label);
  };
  const pause = (): void => { clearInterval(timer); timer = 0; play.textContent = t("qr.play"); };
  const play = button(t("qr.play"), () => {
    if (timer) return pause();
    timer = window.setInterval(() => { if (el.isConnected) void show(at + 1); else pause(); }, frameTime);
    play.textContent = t("qr.pause");
  }, "quiet");
  const step = (by: number): void => { pause(); void show(at + by, true); };
  const el = h("div", { class: "qr-show" }, place,
    h("div", { class: "row" },
      frames.length > 1 && [button(t("qr.previous"), () => step(-1), "quiet"), play, button(t("qr.next"), () => step(1), "quiet")], caption),
    frames.length > 1 && h("p", { class: "hint" }, t("qr.framesHint", { n: frames.length })));
  void show(0).then(() => {
    if (frames.length > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches) play.click();
  });
  return el;
}

/** qrDetails is a fold that draws its codes when it is opened. */
export function qrDetails(engine: EngineClient, label: string, files: () => { name: string; text: string }[]): HTMLElement {
  const body = h("div");
  return h("details", {
    class: "more",
    ontoggle(event: Event) {
      replace(body, (event.target as HTMLDetailsElement).open ? qrShow(engine, files()) : null);
    },
  }, h("summary", null, label), body);
}

/** qrRead reads codes by camera or from pictures and hands over each file once it is whole. */
export function qrRead(label: string, onfile: (file: NamedFile) => void): HTMLElement {
  const body = h("div", { class: "stack" });
  let stop = (): void => {};
  return h("details", {
    class: "more",
    ontoggle(event: Event) {
      stop();
      if ((event.target as HTMLDetailsElement).open) stop = reader(body, onfile);
      else replace(body);
    },
  }, h("summary", null, label), body);
}

/** reader fills a host and returns what ends it. */
function reader(host: HTMLElement, onfile: (file: NamedFile) => void): () => void {
  const collector = new Collector();
  const state = h("p", { class: "hint", role: "status" });
  const video = h("video", { class: "qr-video", muted: true, playsinline: true, hidden: true, "aria-label": t("qr.cameraPicture") });
  let stream: MediaStream | undefined;
  const say = (text: string): void => { if (state.textContent !== text) state.textContent = text; };
  const take = (text: string): void => {
    const got: Collected = collector.add(text);
    if (!got.fresh) return;
    say(got.file ? t("qr.read", { name: got.name }) : t("qr.some", { name: got.name, n: got.have, of: got.of }));
    if (got.file) onfile(got.file);
  };
  const stop = (): void => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = undefined;
    video.hidden = true;
    camera.textContent = t("qr.camera");
  };
  const camera = button(t("qr.camera"), () => {
    if (stream) return stop();
    void start().catch(() => say(t("qr.noCamera")));
  });
  const start = async (): Promise<void> => {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    camera.textContent = t("qr.cameraOff");
    say(t("qr.hold"));
    while (stream && host.isConnected) {
      const text = await decode(pixels(video, video.videoWidth, video.videoHeight), 60);
      if (text !== null) take(text);
      await new Promise((next) => setTimeout(next, 90));
    }
    stop();
  };
  const pictures = dropZone({
    label: t("qr.pictures"), hint: t("qr.picturesHint"), multiple: true, accept: "image/*", small: true,
    onfiles(files) {
      void (async () => {
        for (const file of files) {
          const text = await ofPicture(file);
          if (text === null) say(t("qr.noCode", { name: file.name }));
          else take(text);
        }
      })();
    },
  });
  replace(host, h("div", { class: "row" }, "mediaDevices" in navigator && camera as Child, pictures), video, state);
  return stop;
}

/** Larger pictures are made smaller: the decoder takes 4096 on a side. */
const longest = 2400;

async function ofPicture(file: NamedFile): Promise<string | null> {
  try {
    const picture = await createImageBitmap(new Blob([file.data as BlobPart]));
    return await decode(pixels(picture, picture.width, picture.height), 2500);
  } catch {
    return null;
  }
}

let canvas: HTMLCanvasElement | undefined;

function pixels(source: CanvasImageSource, width: number, height: number): ImageData {
  const scale = Math.min(1, longest / Math.max(width, height, 1));
  canvas ??= document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const pen = canvas.getContext("2d", { willReadFrequently: true })!;
  pen.fillStyle = "#fff"; // transparent pictures of codes are dark on nothing
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(source, 0, 0, canvas.width, canvas.height);
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}
