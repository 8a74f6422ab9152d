// UploadRequest: one request with the bytes of a file, with its progress.
//
// Browsers report the progress of an upload by XMLHttpRequest only; Node has fetch alone.

export interface UploadRequest {
  readonly url: URL;
  readonly token: string;
  readonly file: Blob;
  readonly signal?: AbortSignal | undefined;
  /** The bytes that have left, of `file.size`. */
  readonly onProgress: (bytes: number) => void;
  readonly fetch?: typeof fetch | undefined;
}

export interface UploadAnswer {
  /** 0: no answer. */
  readonly status: number;
  readonly text: string;
}

/** Rejects only when the signal is aborted, with its reason. */
export function sendUpload(request: UploadRequest): Promise<UploadAnswer> {
  const isPage = typeof XMLHttpRequest !== "undefined" && request.fetch === undefined;
  return isPage ? byXhr(request) : byFetch(request);
}

function byXhr({ url, token, file, signal, onProgress }: UploadRequest): Promise<UploadAnswer> {
  const xhr = new XMLHttpRequest();
  const abort = (): void => xhr.abort();
  return new Promise<UploadAnswer>((resolve, reject) => {
    xhr.upload.addEventListener("progress", ({ loaded }) => onProgress(loaded));
    xhr.addEventListener("loadend", () => {
      if (signal?.aborted === true) reject(signal.reason as Error);
      else resolve({ status: xhr.status, text: xhr.responseText });
    });
    xhr.open("PUT", url);
    xhr.setRequestHeader("authorization", `Bearer ${token}`);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted === true) reject(signal.reason as Error);
    else xhr.send(file);
  }).finally(() => signal?.removeEventListener("abort", abort));
}

async function byFetch(request: UploadRequest): Promise<UploadAnswer> {
  const { url, token, file, signal, fetch: send = fetch } = request;
  const headers = { authorization: `Bearer ${token}`, "content-length": String(file.size) };
  // `duplex`: a stream as a body, which the types of browsers do not have.
  const init = { method: "PUT", headers, body: counted(request), duplex: "half" };
  try {
    const response = await send(url, { ...init, signal: signal ?? null });
    return { status: response.status, text: await response.text() };
  } catch {
    signal?.throwIfAborted();
    return { status: 0, text: "" };
  }
}

function counted({ file, onProgress }: UploadRequest): ReadableStream<Uint8Array> {
  let sent = 0;
  const count = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      sent += chunk.byteLength;
      controller.enqueue(chunk);
      onProgress(sent);
    },
  });
  return file.stream().pipeThrough(count);
}
