// Files and folders out of a drop. Two browsers and two kinds of address give a
// page folders in different ways; here they are one.

/** Item is a file or a folder of a drop that is not looked into yet. */
export interface Item {
  path: string;
  directory: boolean;
  file: () => Promise<File>;
  children: () => AsyncIterable<Item>;
}

export type Source = Item | File;

/** sourcesOf takes what was dropped. It must be called in the event itself: the
 *  list is emptied afterwards. */
export function sourcesOf(transfer: DataTransfer): Source[] {
  const items = [...transfer.items].filter((i) => i.kind === "file");
  return items.flatMap((item): Source[] => {
    const entry = item.webkitGetAsEntry();
    if (entry?.isDirectory) return [opaque(item) ? fromHandle(entry.name, item.getAsFileSystemHandle()) : fromEntry(entry)];
    const file = item.getAsFile();
    return file ? [file] : [];
  });
}

/** Chromium gives a page of a file URL no entries of a folder, but handles. */
function opaque(item: DataTransferItem): item is DataTransferItem & { getAsFileSystemHandle(): Promise<Handle | null> } {
  return location.protocol === "file:" && "getAsFileSystemHandle" in item;
}

function fromEntry(entry: FileSystemEntry): Item {
  return {
    path: entry.fullPath.replace(/^\//, ""), directory: entry.isDirectory,
    file: () => new Promise((ok, no) => (entry as FileSystemFileEntry).file(ok, no)),
    async *children() {
      const reader = (entry as FileSystemDirectoryEntry).createReader();
      for (;;) { // a reader gives at most a hundred entries at a time
        const some = await new Promise<FileSystemEntry[]>((ok, no) => reader.readEntries(ok, no));
        if (some.length === 0) return;
        for (const e of some) yield fromEntry(e);
      }
    },
  };
}

/** What is used of a FileSystemHandle of either kind. */
interface Handle {
  kind: "file" | "directory";
  name: string;
  getFile(): Promise<File>;
  values(): AsyncIterable<Handle>;
}

function fromHandle(path: string, handle: Handle | Promise<Handle | null>, kind: Handle["kind"] = "directory"): Item {
  const got = async (): Promise<Handle> => await handle ?? Promise.reject(new Error(path));
  return {
    path, directory: kind === "directory",
    file: async () => (await got()).getFile(),
    async *children() { for await (const h of (await got()).values()) yield fromHandle(`${path}/${h.name}`, h, h.kind); },
  };
}

/** filesIn walks through what was dropped. */
export async function* filesIn(sources: Iterable<Source>): AsyncIterable<{ file: File; path: string }> {
  for (const source of sources) {
    if (source instanceof File) yield { file: source, path: source.webkitRelativePath || source.name };
    else if (source.directory) for await (const inside of source.children()) yield* filesIn([inside]);
    else yield { file: await source.file(), path: source.path };
  }
}
