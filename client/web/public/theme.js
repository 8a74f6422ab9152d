// Applies the selected theme before the first paint. The button is in ui/theme.tsx.
try {
  const theme = localStorage.getItem("parley.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // The browser forbids storage: the system's theme applies.
}
