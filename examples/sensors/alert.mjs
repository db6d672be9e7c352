/** Called with each anomaly that the window tells the bus: says which sensor, when, and why. */
export const handler = async ({ detail: { key, time, value, anomaly } }) => {
  console.log(`${key} at ${new Date(time).toISOString()}: ${value} °C. ${anomaly.why}`);
};
