/** How long the upstream may take: less than the function's own time, so that a slow one still gets an answer. */
const UPSTREAM_MS_MAX = 2_000;

/** Fetches what UPSTREAM has and tells of it; `next()` is the 404 of every other path. */
export const httpHandler = async (request, response, next) => {
  if (request.path !== "/") return next();
  const upstream = process.env.UPSTREAM;
  try {
    const fetched = await fetch(upstream, { signal: AbortSignal.timeout(UPSTREAM_MS_MAX) });
    const text = await fetched.text();
    return response.status(fetched.ok ? 200 : 502).json({ upstream, status: fetched.status, characters: text.length });
  } catch (error) {
    const why = error.name === "TimeoutError" ? `no answer within ${UPSTREAM_MS_MAX} ms` : error.cause?.code || error.message;
    return response.status(504).json({ upstream, error: why });
  }
};
