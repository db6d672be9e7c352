/** Called with each session once it is over, and again when a click that came late makes it another one. */
export const handler = async ({ key, window, lastAt, clicks, pages, replaces = [] }) => {
  const instead = replaces.map(({ start }) => `, instead of the one told at ${clock(start)}`).join("");
  console.log(
    `${key} ${clock(window.start)} to ${clock(lastAt)}: ${clicks} ${clicks === 1 ? "click" : "clicks"}${instead}: ${pages.join(" → ")}`,
  );
};

const clock = (time) => new Date(time).toISOString().slice(11, 16);
