// EnglishDetails: the texts of the details of a message, which the browser loads with them.

export const englishDetails = {
  "details.title": "Message",
  "details.titleNumber": "Message {number}",
  "details.notLoaded": "This message is no longer loaded.",
  "details.from": "From",
  "details.state": "State",
  "details.why": "Why",
  "details.number": "Number",
  "details.numberNone": "None yet",
  "details.numberIn": "{number} in #{room}",
  "details.time": "Time",
  "details.edited": "Edited",
  "details.id": "Id",
  "details.copyId": "Copy the id",
  "details.sent": "Sent and stored safely",
  "details.stored": "Stored safely",
  "details.pending": "Sending, not confirmed yet",
  "details.refused": "Not sent",
  "details.link": "Link",
  "details.copyLink": "Copy the link to this message",

  "proof.label": "Completeness",
  "proof.newest": "Newest number",
  "proof.none": "none",
  "proof.loaded": "Loaded here",
  "proof.nothing": "nothing",
  "proof.range": "{first} to {last}",
  "proof.text":
    "Messages and their changes are numbered 1, 2, 3 … in each room. If one were missing, its number would be, too. “All messages up to” names the number up to which this window received everything.",
} as const;
