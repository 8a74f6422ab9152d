// HostileTexts: messages that try to run code or to add elements to the page. The page must show
// each as plain text. Code that runs sets `window.pwned`.

/** Shown as they are, without backticks. */
export const HOSTILE_TEXTS: readonly string[] = [
  "<script>window.pwned = 1</script>",
  "<img src=x onerror='window.pwned = 2'>",
  "<svg/onload=window.pwned=3>",
  "<iframe srcdoc='<script>parent.pwned=4</script>'></iframe>",
  "javascript:window.pwned=5",
  "[click](javascript:window.pwned=6)",
  "<a href='javascript:window.pwned=7'>https://parley.example</a>",
  'https://parley.example/"onmouseover="window.pwned=8',
  "https://parley.example/'onfocus='window.pwned=9' autofocus='",
  "data:text/html,<script>window.pwned=10</script>",
  "<style>*{display:none}</style>",
  "<base href='https://evil.example/'>",
  "<meta http-equiv=refresh content='0;url=https://evil.example'>",
  "<form action=https://evil.example><button>Sign in</button></form>",
  "<details open ontoggle=window.pwned=11>",
  "`<img src=x onerror=window.pwned=12>`",
  "```\n<script>window.pwned=13</script>\n```",
  "&lt;script&gt;window.pwned=14&lt;/script&gt; &amp; &#60;b&#62;",
  "{{constructor.constructor('window.pwned=15')()}} ${window.pwned=16}",
  '"><script>window.pwned=17</script>',
  "--></textarea></title></style><script>window.pwned=18</script>",
  "\u202egnp.exe\u202c \u200bzero\u200bwidth \ufeff",
  "%3Cscript%3Ewindow.pwned%3D19%3C%2Fscript%3E",
  "<x style=animation-name:appear onanimationstart=window.pwned=20>",
  '[x](https://parley.example/"onmouseover="window.pwned=27)',
  "[x](data:text/html,<script>window.pwned=28</script>)",
  "<math><mtext><table><mglyph><style><img src onerror=window.pwned=21>",
];

/** Shown without the markers of Markdown. */
export const HOSTILE_MARKDOWN: readonly string[] = [
  "**<img src=x onerror=window.pwned=22>** *<svg/onload=window.pwned=23>*",
  "> <script>window.pwned=24</script>\n- <iframe src=javascript:window.pwned=25>\n1. <b>x</b>",
  "[<img src=x onerror=window.pwned=26>](https://parley.example/x)",
];
