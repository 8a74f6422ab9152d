// EnglishFiles: the texts about files, which the browser loads with the first file.

export const englishFiles = {
  "files.list": "Files of this message",
  "files.remove": "Remove {name}",
  "files.uploadOf": "Upload of {name}",
  "files.uploading": {
    one: "{count} file is being uploaded.",
    other: "{count} files are being uploaded.",
  },
  "files.ready": {
    one: "{count} file is ready to be sent.",
    other: "{count} files are ready to be sent.",
  },
  "files.tooMany": {
    one: "A message has at most {count} file.",
    other: "A message has at most {count} files.",
  },
  "files.tooLarge": "Too large: a file has at most {size}.",
  "files.empty": "This file is empty.",
  "files.quota": "All your files together are too large. Delete messages with files first.",
  "files.type": "This server does not accept files of this type.",
  "files.off": "This server accepts no files.",
  "files.gone": "This file was deleted.",
  "files.open": "Open {name}",
  "files.notLoaded": "{name} was not loaded. Try again",
  "files.download": "Download",
  "files.close": "Close the image",
} as const;
