import type {
  ConfirmSubscriptionInput,
  ConfirmSubscriptionResponse,
  GetSubscriptionAttributesInput,
  GetSubscriptionAttributesResponse,
  ListSubscriptionsByTopicInput,
  ListSubscriptionsByTopicResponse,
  ListSubscriptionsInput,
  ListSubscriptionsResponse,
  SetSubscriptionAttributesInput,
  SubscribeInput,
  SubscribeResponse,
  Subscription as WireSubscription,
  UnsubscribeInput,
} from "@aws-sdk/client-sns";
import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { DEFAULT_SUBSCRIPTION_SETTINGS, subscriptionArn, type Subscription, topicArn, type Topics } from "../../topics/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { subscriptionOf, topicOf } from "./names.ts";
import { pageOf, readToken } from "./paging.ts";
import { subscriptionAttributes, withSubscriptionAttributes } from "./subscription-attributes.ts";

/** Subscriptions: made, confirmed, found, set, ended. @see SNS API reference */
export function subscriptionOperations(topics: Topics) {
  return {
    async Subscribe(input: SubscribeInput, context: RequestContext): Promise<SubscribeResponse> {
      const { realm, name } = topicOf(context, input.TopicArn);
      const { settings, given: members } = withSubscriptionAttributes(DEFAULT_SUBSCRIPTION_SETTINGS, input.Attributes ?? {});
      const draft = { protocol: given(input.Protocol, "Protocol"), endpoint: given(input.Endpoint, "Endpoint"), settings };
      const { subscription, arn } = await topics.subscribing.subscribe(realm, name, draft, members);
      const isTold = subscription.state.kind === "confirmed" || input.ReturnSubscriptionArn === true;
      return { SubscriptionArn: isTold ? arn : "pending confirmation" };
    },

    async ConfirmSubscription(input: ConfirmSubscriptionInput, context: RequestContext): Promise<ConfirmSubscriptionResponse> {
      const { realm, name } = topicOf(context, input.TopicArn);
      const signedUnsubscribe = input.AuthenticateOnUnsubscribe?.toLowerCase() === "true";
      if (signedUnsubscribe && !isSigned(context))
        throw new LambentError("AccessDenied", "AuthenticateOnUnsubscribe counts only in a signed request.");
      const { arn } = await topics.subscribing.confirm(realm, name, given(input.Token, "Token"), signedUnsubscribe);
      return { SubscriptionArn: arn };
    },

    async Unsubscribe(input: UnsubscribeInput, context: RequestContext): Promise<void> {
      const { realm, id } = subscriptionOf(context, input.SubscriptionArn);
      await topics.subscribing.unsubscribe(realm, id, isSigned(context));
    },

    ListSubscriptions(input: ListSubscriptionsInput, { realm }: RequestContext): ListSubscriptionsResponse {
      return subscriptionPage(topics, realm, undefined, input.NextToken);
    },

    ListSubscriptionsByTopic(input: ListSubscriptionsByTopicInput, context: RequestContext): ListSubscriptionsByTopicResponse {
      const { realm, name } = topicOf(context, input.TopicArn);
      return subscriptionPage(topics, realm, name, input.NextToken);
    },

    GetSubscriptionAttributes(input: GetSubscriptionAttributesInput, context: RequestContext): GetSubscriptionAttributesResponse {
      const { realm, id } = subscriptionOf(context, input.SubscriptionArn);
      const subscription = topics.subscription(realm, id);
      return { Attributes: subscriptionAttributes(realm, topics.record(realm, subscription.topic), subscription) };
    },

    async SetSubscriptionAttributes(input: SetSubscriptionAttributesInput, context: RequestContext): Promise<void> {
      const { realm, id } = subscriptionOf(context, input.SubscriptionArn);
      const attributes = { [given(input.AttributeName, "AttributeName")]: input.AttributeValue ?? "" };
      await topics.subscribing.update(realm, id, (settings) => withSubscriptionAttributes(settings, attributes).settings);
    },
  };
}

/** Whoever follows a link is not. */
function isSigned({ principal }: Pick<RequestContext, "principal">): boolean {
  return principal.kind !== "anonymous";
}

function subscriptionPage(topics: Topics, realm: Realm, topic: string | undefined, token: string | undefined): ListSubscriptionsResponse {
  const { items, next } = pageOf(
    (range) => topics.subscriptions(realm, { ...range, topic }),
    ({ id }) => id,
    readToken(token),
  );
  return { Subscriptions: items.map((each) => subscriptionShape(realm, each)), NextToken: next };
}

function subscriptionShape(realm: Realm, { id, topic, protocol, endpoint, state }: Subscription): WireSubscription {
  return {
    SubscriptionArn: state.kind === "pending" ? "PendingConfirmation" : subscriptionArn({ realm, name: topic, id }),
    Owner: realm.account,
    Protocol: protocol,
    Endpoint: endpoint,
    TopicArn: topicArn(realm, topic),
  };
}
