/** A listener in CloudEvents' own words: nothing of it knows where the event came from. */
export const handler = async (event) => {
  console.log(`${event["type"]}: welcome, ${event["data"].name}! Your page is ${event["data"].profile}`);
};
