// Where the pictures are, and what they are called.
import { fileURLToPath } from "node:url";

export const FOLDER = fileURLToPath(new URL("../../../target/gallery", import.meta.url));
export const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };
export const THEMES = ["light", "dark"];

const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");

export const picture = (entry, size, theme) => `${slug(entry.section)}/${slug(entry.name)}-${size}-${theme}.png`;
