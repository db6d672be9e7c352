import { readFileSync } from "node:fs";

const ROUTES = {
  "GET /hello": (event) => answer(200, { hello: event.queryStringParameters?.name ?? "world" }),
  "GET /weather": (event) => weather(event.queryStringParameters?.date),
  "POST /average": (event) => average(event),
};

/** A JSON API: a route is a method and a path. Every answer is JSON, errors too. */
export const handler = async (event) => {
  const { method } = event.requestContext.http;
  const route = ROUTES[`${method} ${event.rawPath}`];
  if (route) return route(event);
  const known = Object.keys(ROUTES).filter((name) => name.endsWith(` ${event.rawPath}`));
  if (known.length === 0) return answer(404, { error: `There is no ${event.rawPath}.` });
  return answer(405, { error: `${event.rawPath} does not take ${method}.` }, { allow: known.map((name) => name.split(" ")[0]).join(", ") });
};

/** Read once, when the instance starts. */
const DAYS = new Map(
  readFileSync(new URL("seattle-weather.csv", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","))
    .map(([date, precipitation, max, min, , weather]) => [
      date,
      { date, weather, precipitation: Number(precipitation), max: Number(max), min: Number(min) },
    ]),
);

function weather(date) {
  if (date === undefined) return answer(400, { error: "Say which day: /weather?date=2015-07-04" });
  const day = DAYS.get(date);
  return day ? answer(200, day) : answer(404, { error: `There is no weather for ${date}; the year is 2015.` });
}

function average(event) {
  const body = bodyOf(event);
  if (body === undefined) return answer(400, { error: 'The body has to be JSON such as {"data":[1,2,3]}.' });
  const { data } = body;
  if (!Array.isArray(data) || data.length === 0 || !data.every(Number.isFinite))
    return answer(400, { error: "data has to be a list of numbers." });
  return answer(200, { average: data.reduce((sum, value) => sum + value, 0) / data.length });
}

/** The body as JSON. A call without one has no `body` at all, and bytes that are not text come as base64. */
function bodyOf(event) {
  try {
    const text = event.isBase64Encoded ? Buffer.from(event.body, "base64").toString("utf8") : event.body;
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function answer(statusCode, value, headers = {}) {
  return { statusCode, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}
