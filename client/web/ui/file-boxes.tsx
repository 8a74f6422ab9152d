// FileBoxes: the places of the files of a message. They have their size before anything is loaded,
// so that nothing moves.

import type { ComponentChildren, JSX } from "preact";
import type { Attachment } from "#shared/protocol/attachments.ts";
import type { Message } from "../store/timeline-rows.ts";
import type { MessageActions } from "./message-actions.ts";
import { boxOf } from "../store/file-box.ts";

export interface MessageFilesProps {
  readonly message: Message;
  readonly files: readonly Attachment[];
  /** The message has the pointer or the focus: its buttons can be reached by Tab. */
  readonly isReachable: boolean;
  readonly actions: MessageActions;
}

interface Props extends Pick<MessageFilesProps, "files"> {
  readonly draw?: (file: Attachment) => ComponentChildren;
}

export function FileBoxes({ files, draw }: Props): JSX.Element {
  const isAlone = files.filter(({ width }) => width !== undefined).length === 1;
  return (
    <div class="files">
      {files.map((file) => {
        const box = boxOf(file, isAlone);
        const style = box && { width: `${box.width}px`, aspectRatio: `${box.width}/${box.height}` };
        return (
          <div key={file.id} class={box === undefined ? "file" : "file-image"} style={style}>
            {draw?.(file)}
          </div>
        );
      })}
    </div>
  );
}
