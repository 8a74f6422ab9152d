// FileChips: the files of a new message above its field: name, size, progress, and why one failed.
// It is loaded when the first file is chosen.

import "./files.css";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { kindOf, sizeWords } from "../../store/files/file-words.ts";
import type { PendingFile, PendingFiles } from "../../store/files/pending-files.ts";
import { t } from "../../texts/texts.ts";
import { Icon } from "../icons.tsx";

interface Props {
  readonly files: PendingFiles;
  /** The button that had the focus is gone. */
  readonly onRemoved: () => void;
}

export function FileChips({ files, onRemoved }: Props): JSX.Element {
  return (
    <div class="chips">
      <ul class="chip-list" aria-label={t("files.list")}>
        {files.all.map((file) => (
          <Chip
            key={file.key}
            file={file}
            onRetry={() => files.retry(file.key)}
            onRemove={() => {
              files.remove(file.key);
              onRemoved();
            }}
          />
        ))}
      </ul>
      {files.problem !== undefined && (
        <p class="chip-problem" role="alert">
          {files.problem}
        </p>
      )}
      <p class="hidden" role="status">
        {statusWords(files)}
      </p>
    </div>
  );
}

function statusWords({ all, count, uploaded }: PendingFiles): string {
  const left = all.filter(({ state }) => state === "waiting" || state === "uploading").length;
  if (left > 0) return t("files.uploading", { count: left });
  return uploaded === undefined ? "" : t("files.ready", { count });
}

function Chip(props: {
  readonly file: PendingFile;
  readonly onRetry: () => void;
  readonly onRemove: () => void;
}): JSX.Element {
  const { file, onRetry, onRemove } = props;
  const { state, part, problem, canRetry } = file;
  const { name, size } = file.file;
  return (
    <li class={`chip chip-${state}`}>
      <Picture file={file.file} />
      <span class="chip-text">
        <bdi class="chip-name" title={name}>
          {name}
        </bdi>
        {problem === undefined ? (
          <span class="chip-note">{sizeWords(size)}</span>
        ) : (
          <span class="chip-note" role="alert">
            {problem}
          </span>
        )}
      </span>
      {canRetry === true && (
        <button type="button" class="quiet square" onClick={onRetry} title={t("message.tryAgain")}>
          <Icon name="retry" />
          <span class="hidden">{t("message.tryAgain")}</span>
        </button>
      )}
      <button
        type="button"
        class="quiet square"
        aria-label={t("files.remove", { name })}
        title={t("files.remove", { name })}
        onClick={onRemove}
      >
        <Icon name="close" />
      </button>
      {(state === "waiting" || state === "uploading") && (
        <progress class="chip-progress" value={part} aria-label={t("files.uploadOf", { name })} />
      )}
    </li>
  );
}

/** Twice the size on the page, for dense screens. */
const PICTURE_PX = 80;

/** The image, or the end of the name. An image on a canvas needs no address. */
function Picture({ file }: { readonly file: File }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const isImage = file.type.startsWith("image/");
  useEffect(() => {
    if (isImage && canvas.current !== null) void draw(file, canvas.current);
  }, [file]);
  return (
    <span class="file-kind" aria-hidden="true">
      {isImage ? <canvas ref={canvas} width={PICTURE_PX} height={PICTURE_PX} /> : kindOf(file.name)}
    </span>
  );
}

/** Fills the square. A file that is no image stays empty. */
async function draw(file: File, canvas: HTMLCanvasElement): Promise<void> {
  try {
    const image = await createImageBitmap(file);
    const scale = PICTURE_PX / Math.min(image.width, image.height);
    const [width, height] = [image.width * scale, image.height * scale];
    const [left, top] = [(PICTURE_PX - width) / 2, (PICTURE_PX - height) / 2];
    canvas.getContext("2d")?.drawImage(image, left, top, width, height);
    image.close();
  } catch {
    // The server judges its content.
  }
}
