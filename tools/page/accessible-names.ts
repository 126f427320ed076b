import type { Page } from "playwright-core";

/** Roles that say nothing without a name. */
const namedRoles = new Set([
  ...["button", "checkbox", "combobox", "textbox", "link", "image", "img", "progressbar"],
  ...["region", "table", "heading", "DisclosureTriangle", "columnheader", "rowheader"],
]);

/** What a screen reader would meet without a name, as Chromium's own accessibility tree has it: one line each. */
export async function findUnnamed(page: Page): Promise<string[]> {
  const cdp = await page.context().newCDPSession(page);
  const { nodes } = await cdp.send("Accessibility.getFullAXTree");
  await cdp.detach();
  const roles = nodes.filter(({ ignored, role }) => !ignored && namedRoles.has(String(role?.value)));
  if (roles.length === 0) throw new Error("expected an accessibility tree with controls, got none");
  return roles
    .filter(({ name }) => String(name?.value ?? "").trim() === "")
    .map(({ role, nodeId }) => `${role?.value} ${nodeId}`);
}
