// Style: a style sheet that a lazy view brings with it. The build writes it beside the code.

declare module "*.css";
