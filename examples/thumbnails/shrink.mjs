/**
 * The picture with its longer side `side` pixels long; one that is smaller stays as it is. Each pixel is the mean of all that it stands for,
 * by area, and by opacity: what cannot be seen has no colour to give.
 */
export function shrink(picture, side) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const columns = spans(picture.width, width);
  const rows = spans(picture.height, height);
  const pixels = Buffer.alloc(width * height * 4);
  rows.forEach((row, y) => columns.forEach((column, x) => pixels.set(mean(picture, column, row), (y * width + x) * 4)));
  return { width, height, pixels };
}

/** Which of `from` pixels each of `to` stands for: their places, and how much of each, 0 to 1. */
function spans(from, to) {
  return Array.from({ length: to }, (_, index) => {
    const [begin, end] = [(index * from) / to, ((index + 1) * from) / to];
    const places = [];
    for (let at = Math.floor(begin); at < Math.min(from, Math.ceil(end)); at += 1)
      places.push({ at, share: Math.min(end, at + 1) - Math.max(begin, at) });
    return places;
  });
}

function mean({ width, pixels }, columns, rows) {
  let [red, green, blue, opacity, area] = [0, 0, 0, 0, 0];
  for (const row of rows)
    for (const column of columns) {
      const place = (row.at * width + column.at) * 4;
      const share = row.share * column.share;
      const weight = share * pixels[place + 3];
      red += pixels[place] * weight;
      green += pixels[place + 1] * weight;
      blue += pixels[place + 2] * weight;
      opacity += weight;
      area += share;
    }
  if (opacity === 0) return [0, 0, 0, 0];
  return [red / opacity, green / opacity, blue / opacity, opacity / area].map(Math.round);
}
