// Applies the selected theme before the first paint. The button is in ui/theme.tsx.
const root = document.documentElement;
let theme;
try {
  theme = localStorage.getItem("parley.theme");
} catch {
  // The browser forbids storage: the system's theme applies.
}
if (theme === "light" || theme === "dark") root.dataset.theme = theme;
if (theme === "contrast" || matchMedia("(prefers-contrast: more)").matches) {
  root.dataset.contrast = "more";
}
