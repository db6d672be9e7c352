/** Values one average is made of. */
const WINDOW = 10;

/**
 * The average of every ten neighbouring values of `event.data`: n values give n − 9 averages, the first of them
 * over the first ten. Each step adds the value that comes in and takes off the one that goes out.
 */
export const handler = async (event) => {
  const data = event.data;
  if (!Array.isArray(data) || !data.every(Number.isFinite)) throw new TypeError("event.data has to be a list of numbers.");
  const averages = [];
  let sum = 0;
  data.forEach((value, at) => {
    sum += value - (at >= WINDOW ? data[at - WINDOW] : 0);
    if (at >= WINDOW - 1) averages.push(Math.round((sum / WINDOW) * 100) / 100);
  });
  return { window: WINDOW, averages };
};
