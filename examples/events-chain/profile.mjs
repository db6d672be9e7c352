import { publish } from "./publish.mjs";

/** The data base of this example has bad days: for each user it answers at the third attempt. */
const FAILURES = 2;
const failures = new Map();

export const handler = async ({ id, detail }) => {
  const before = failures.get(id) ?? 0;
  if (before < FAILURES) {
    failures.set(id, before + 1);
    throw new Error(`the data base is busy (attempt ${before + 1})`);
  }
  failures.delete(id);
  return publish("profile.made", { name: detail.name, profile: `/people/${encodeURIComponent(detail.name)}` });
};
