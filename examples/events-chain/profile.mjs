import { publish } from "./publish.mjs";

/** The data base of this example has bad days: asked for a user for the first time, it does not answer. A new instance asks for the first time again. */
const asked = new Set();

export const handler = async ({ id, detail }) => {
  if (!asked.has(id)) {
    asked.add(id);
    throw new Error("the data base is busy");
  }
  asked.delete(id);
  return publish("profile.made", { name: detail.name, profile: `/people/${encodeURIComponent(detail.name)}` });
};
