/** The addresses that stand in messages: what is found there is served without a signature, to whoever has the address. */

/** Beginning and end as on AWS, where receivers may look for them. */
const CERTIFICATE_PATH = /^\/SimpleNotificationService-([0-9a-f]{32})\.pem$/;

/** Where this server is reached, and what it serves there. */
export class Links {
  readonly #endpoint: () => string;

  /** `endpoint` is scheme, host and port by which others reach this server. */
  constructor(endpoint: () => string) {
    this.#endpoint = endpoint;
  }

  confirm(topicArn: string, token: string): string {
    return this.#action("ConfirmSubscription", { TopicArn: topicArn, Token: token });
  }

  unsubscribe(subscriptionArn: string): string {
    return this.#action("Unsubscribe", { SubscriptionArn: subscriptionArn });
  }

  certificate(keyId: string): string {
    return `${this.#endpoint()}/SimpleNotificationService-${keyId}.pem`;
  }

  #action(action: string, parameters: Readonly<Record<string, string>>): string {
    return `${this.#endpoint()}/?${new URLSearchParams({ Action: action, ...parameters }).toString()}`;
  }
}

/** The key whose certificate is asked for by a path; undefined for any other path. */
export function keyOfCertificatePath(path: string): string | undefined {
  return CERTIFICATE_PATH.exec(path)?.[1];
}
