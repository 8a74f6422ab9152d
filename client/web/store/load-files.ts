// LoadFiles: loads the code of the files of a new message when the first one is chosen.

import type { ChatApi } from "./chat-api.ts";
import type { PendingFiles } from "./files/pending-files.ts";

export type FilesLoader = () => Promise<PendingFiles>;

/** Undefined: the server takes no files. */
export function filesOf(api: ChatApi, room: string, changed: () => void): FilesLoader | undefined {
  const { fileBytesMax: bytesMax } = api;
  if (bytesMax === undefined) return undefined;
  return async () => {
    const { PendingFiles } = await import("./files/pending-files.ts");
    return new PendingFiles({ port: await api.files(), room, bytesMax, changed });
  };
}
