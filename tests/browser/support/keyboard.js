// A hand that has only keys, and looks where it is.
import { expect } from "@playwright/test";

/** Presses Tab until the target has the focus. Every stop on the way must be seen, and nothing may hold the focus. */
export async function tabTo(page, target, key = "Tab") {
  await expect(target.first()).toBeVisible();
  // A page on its way would take the focus with it.
  await expect(page.locator("#progress.busy")).toHaveCount(0);
  const seen = [];
  for (let presses = 0; presses < 120; presses += 1) {
    if (await holdsFocus(target)) return;
    await page.keyboard.press(key);
    const stop = await look(page);
    expect(stop.problems, `${page.url()}: ${stop.name}`).toEqual([]);
    seen.push(stop.name);
    expect(seen.slice(-4).length === 4 && new Set(seen.slice(-4)).size === 1, `${page.url()}: ${stop.name} holds the focus`).toBe(false);
  }
  throw new Error(`${page.url()}: ${target} was not reached. On the way: ${seen.join(" → ")}`);
}

/** Goes to the target and presses it. */
export async function press(page, target, key = "Enter") {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

/** Goes to a field, and types over what is in it. */
export async function type(page, target, text) {
  await tabTo(page, target);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(text);
}

async function holdsFocus(target) {
  const found = await target.all();
  for (const one of found) {
    if (await one.evaluate((element) => element.getRootNode().activeElement === element).catch(() => false)) return true;
  }
  return false;
}

/** What has the focus, and what is wrong with how it is shown: WCAG 2.4.7, 2.4.11, 2.5.8. */
async function look(page) {
  return page.evaluate(async () => {
    // Where the focus is scrolled to, and how it is drawn, is settled by the next frame.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    let element = document.activeElement;
    while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    const name = `${element.tagName.toLowerCase()}#${element.id || element.getAttribute("href") || element.getAttribute("name")} "${(element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 40)}"`;
    // Where a new page begins is told to screen readers; nothing is done there.
    if (element === document.body || element.tagName === "IFRAME" || element.tabIndex < 0) return { name, problems: [] };
    const problems = [];
    const drawn = (one) => {
      const style = getComputedStyle(one);
      return (parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none") || style.boxShadow.includes("inset");
    };
    // An editor and a field in a box draw the ring on what is around them.
    const around = [element, element.closest(".cm-editor"), element.closest(".palette-head"), element.nextElementSibling, element.parentElement?.querySelector(".menu-toggle")];
    if (!around.some((one) => one && drawn(one))) problems.push("its focus is not seen");
    const hidden = () => {
      const box = element.getBoundingClientRect();
      const where = [box.left, box.top, box.right, box.bottom].map(Math.round).join(", ");
      const points = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]]
        .map(([x, y]) => [box.left + box.width * x, box.top + box.height * y])
        .filter(([x, y]) => x >= 0 && y >= 0 && x < innerWidth && y < innerHeight);
      const seen = points.some(([x, y]) => {
        const top = element.getRootNode().elementFromPoint(x, y);
        return top && (element.contains(top) || top.contains(element) || top.closest("label")?.control === element);
      });
      if (seen || getComputedStyle(element).opacity === "0") return null;
      return points.length ? `something covers it at ${where}` : `it is outside of what is shown, at ${where}`;
    };
    // The page scrolls to it, and that takes some frames.
    for (let frame = 0; frame < 60 && hidden(); frame += 1) await new Promise(requestAnimationFrame);
    if (hidden()) problems.push(hidden());
    return { name, problems };
  });
}
