// What must hold on every page, as lists of what does not.
import axe from "axe-core";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What axe finds: rule, element, and what to do. Frames hold the HTML of others, which is theirs to make right. */
export async function violations(page, rules) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const runOnly = rules ? { type: "rule", values: rules } : { type: "tag", values: TAGS };
  const found = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, iframes: false, resultTypes: ["violations"] }), { ...runOnly });
  return found.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id} (${help}): ${node.target.join(" ")} ${detail(node)}`));
}

function detail(node) {
  const data = [...node.any, ...node.all, ...node.none][0]?.data;
  return data?.contrastRatio ? `${data.fgColor} on ${data.bgColor} is ${data.contrastRatio}:1` : node.html.slice(0, 160);
}

/** How many pixels a page is too wide, and because of what. */
export async function tooWide(page) {
  return page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    const over = document.documentElement.scrollWidth - room;
    if (over <= 0) return [];
    const causes = [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > room + 1 && element.checkVisibility())
      .filter((element) => ![...element.children].some((child) => child.getBoundingClientRect().right > room + 1));
    const name = (element) => element.tagName.toLowerCase() + [...element.classList].map((part) => `.${part}`).join("");
    return [`${over} px too wide at ${room}: ${causes.slice(0, 4).map(name).join(", ")}`];
  });
}

/** Text spaced as WCAG 1.4.12 has it must lose nothing: what cannot scroll must not be cut off. */
export async function cutBySpacing(page) {
  return page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }");
    document.adoptedStyleSheets.push(sheet);
    const cut = [...document.querySelectorAll("body *")].filter((element) => {
      const style = getComputedStyle(element);
      if (!element.checkVisibility() || element.closest(".sr-only, .away, thead, svg, .cm-editor")) return false;
      if (!["hidden", "clip"].includes(style.overflowY) && !["hidden", "clip"].includes(style.overflowX)) return false;
      // An ellipsis is meant, where the whole text is a click away.
      if (style.textOverflow === "ellipsis") return false;
      return element.scrollHeight > element.clientHeight + 2 && element.clientHeight > 0 || element.scrollWidth > element.clientWidth + 2;
    });
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
    return cut.map((element) => `text spacing cuts ${element.tagName.toLowerCase()}.${element.className} off`);
  });
}
