// EnglishRooms: the texts about rooms, their members and their dialogs (english.ts has the others).

export const englishRooms = {
  "page.partFailed": "This part of the page could not be loaded. Reload the page.",

  "rooms.filter": "Filter rooms",
  "rooms.direct": "Direct messages",
  "rooms.create": "New room",
  "rooms.newDirect": "New direct message",
  "rooms.noMatch": "No room of yours matches.",
  "rooms.closeRoom": "Close {room}",
  "rooms.closedKind": "closed room",
  "rooms.mentions": { one: "{count} mention", other: "{count} mentions" },
  "rooms.unreadWord": "unread",
  "rooms.last": "{name}: {text}",
  "rooms.lastOwn": "You: {text}",
  "choice.found": "Open room",
  "choice.new": "Open this room",
  "choice.user": "Direct message",

  "failure.roomExists": "A room with this name exists already.",
  "failure.invite": "This invite has ended, or it was used too often. Ask for a new one.",
  "failure.member": "This change is not possible now: a room keeps its last owner.",
  "failure.late": "The time to edit this message is over.",
  "notice.joined": "joined this room.",
  "day.duration.s": { one: "{count} second", other: "{count} seconds" },
  "day.duration.m": { one: "{count} minute", other: "{count} minutes" },
  "day.duration.h": { one: "{count} hour", other: "{count} hours" },
  "day.duration.d": { one: "{count} day", other: "{count} days" },
  "removal.left": "You left this room.",

  "room.writeTo": "Message {room}",
  "visit.text": "You are visiting this room. Join it to keep it in your list on every device.",
  "visit.join": "Join",

  "copy.done": "Copied.",

  "search.open": "Search messages",
  "about.title": "About this room",
  "jump.failed": "This place could not be loaded. Try again.",

  "pins.title": "Pinned messages",

  "bar.archived": "This room is archived. Nothing more can be sent to it.",
  "bar.role": "Your role in this room does not permit you to write.",
  "bar.muted": "You are muted until {time}.",
  "bar.blocked": "This user does not take messages from you.",
  "bar.left": "You cannot write here, because you are not in this room.",
  "slow.note": "Slow mode: one message in {duration}",

  "mention.list": "Users to mention",
  "mention.room": "everyone in this room",
  "notify.on": "Turn notifications on",
  "notify.off": "Turn notifications off",
  "notify.note": "For mentions and direct messages, while this page is hidden.",
  "notify.denied": "This browser blocks notifications of this page.",
  "notify.mention": "{name} mentioned you in {room}",
  "notify.reply": "{name} answered you in {room}",
} as const;
