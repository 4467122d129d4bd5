// Writes the page that shows the pictures.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { PAGES } from "../support/pages.js";
import { FOLDER, SIZES, THEMES, picture } from "./folder.js";

export default function publish() {
  const commit = execFileSync("git", ["log", "-1", "--format=%h %s"], { encoding: "utf8" }).trim();
  const pages = PAGES.map((entry) => ({
    section: entry.section,
    name: entry.name,
    view: entry.view ?? "",
    pictures: Object.keys(SIZES).flatMap((size) =>
      THEMES.map((theme) => ({ size, theme, file: picture(entry, size, theme) })).filter(({ file }) => existsSync(path.join(FOLDER, file)))),
  })).filter(({ pictures }) => pictures.length > 0);
  const data = JSON.stringify({ commit, at: new Date().toISOString(), pages }).replaceAll("<", "\\u003c");
  const frame = readFileSync(new URL("./gallery.html", import.meta.url), "utf8");
  const file = path.join(FOLDER, "index.html");
  writeFileSync(file, frame.replace("GALLERY_DATA", () => data));
  console.log(`\n${pages.length} pages: ${file}`);
}
