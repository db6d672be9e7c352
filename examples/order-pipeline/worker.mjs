const STOCK = new Set(["tea", "coffee", "biscuits"]);

/**
 * Packs a batch of orders. One that fails does not take the others of its batch with it: it is named in the answer, comes
 * again when its visibility timeout is over, and lies in the dead-letter queue after the second time.
 */
export const handler = async (event) => {
  const batchItemFailures = [];
  for (const { messageId, body } of event.Records) {
    try {
      pack(JSON.parse(body));
    } catch (error) {
      console.error(`order ${messageId}: ${error.message}`);
      batchItemFailures.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures };
};

function pack({ item, quantity }) {
  if (!STOCK.has(item)) throw new Error(`there is no ${item}`);
  console.log(`packed ${quantity} × ${item}`);
}
