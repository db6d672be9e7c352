export const handler = async ({ detail: { sales, totals } }) => {
  console.log(`${sales} sales`);
  for (const [item, total] of Object.entries(totals)) console.log(`${item}: ${total}`);
};
