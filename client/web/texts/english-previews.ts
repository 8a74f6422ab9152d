// EnglishPreviews: the texts about previews of links, which the browser loads with the first link.

export const englishPreviews = {
  "previews.title": "Previews of links",
  "previews.show": "Show previews of links on this device",
  "previews.note":
    "When a message with a link comes into view, this page sends the address of the link to this server, and the server fetches the linked page. The linked site then learns that someone opened the conversation, and when. It does not learn who it was, and sees nothing of this device. The operator of this server can see which links are fetched. A link that works only once may be used up by it.",
  "previews.of": "Preview of {host}",
} as const;
