import { publish } from "./publish.mjs";

/** A user signs up: what is on the bus is on the disk, so the answer is a promise that holds. */
export const handler = async (event) => {
  const name = nameOf(event);
  if (!name) return answer(400, { error: 'Say who you are: {"name":"Ada"}' });
  return answer(202, { event: await publish("user.signed-up", { name }) });
};

function nameOf({ body = "", isBase64Encoded }) {
  try {
    const { name } = JSON.parse(isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body);
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}

function answer(statusCode, value) {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(value) };
}
