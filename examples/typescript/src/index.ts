import { orderOf, type Order } from "@order/order";
import { parse } from "yaml";

interface OrderEvent {
  /** An order as YAML, the way it is kept in a repository. */
  readonly yaml: string;
}

export const handler = async (event: OrderEvent): Promise<{ order: Order; text: string }> => {
  const order = orderOf(parse(event.yaml));
  return { order, text: `${order.count} × ${order.item}, ${order.urgency}` };
};
