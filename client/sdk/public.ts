// Public: the entry `.` of the package `@parley/client`, for browsers and Node.
//
// Owns: which names the package exports.

/**
 * The client of a Parley cluster: `import { Parley } from "@parley/client"`.
 *
 * @module client
 */

export { Parley } from "./parley.ts";
export type { ParleyNews } from "./parley.ts";
export type { CreateOptions, JoinOptions, ParleyOptions } from "./parley-options.ts";
export { RoomHandle } from "./room-handle.ts";
export type {
  MessagesPage,
  Outgoing,
  Resumed,
  RoomChange,
  RoomNews,
  EditOptions,
  SendOptions,
  Standing,
  TimelineView,
} from "./room-handle.ts";
export { RoomTimeline } from "./timeline/room-timeline.ts";
export type { WaitOptions } from "./waiting.ts";
export type { Outbox } from "./kept-sends.ts";
export type {
  Paging,
  Sending,
  SendPlace,
  TextBody,
  TimelineSnapshot,
} from "./timeline/room-timeline.ts";
export type { ShownMessage } from "./timeline/shown-message.ts";
export { Timeline } from "./timeline/timeline.ts";
export type {
  SendOutcome,
  TimelineEntry,
  TimelineOptions,
  TimelinePage,
  UnsentMessage,
} from "./timeline/timeline.ts";
export type {
  ConnectionState,
  Fault,
  Page,
  PageRange,
  PresenceChange,
  Removed,
  Reset,
  RoomStatus,
  SendResult,
  TypingChange,
} from "./core/effects.ts";
export type {
  Body,
  DeletedEvent,
  Deletion,
  EditedEvent,
  MemberEvent,
  MessageEvent,
  PinnedEvent,
  ReactedEvent,
  RoomEvent,
  RoomSettings,
  SettingsEvent,
} from "#shared/protocol/events.ts";
export type { Attachment, UploadedFile } from "#shared/protocol/attachments.ts";
export type { ErrorName } from "#shared/protocol/errors.ts";
export type { MemberRole, Role, RoomKind } from "#shared/protocol/roles.ts";
export type { LeftReason, ShownState } from "#shared/protocol/server-frames.ts";
export { ConnectionClosed, HistoryFailed, ParleyError } from "./errors.ts";
