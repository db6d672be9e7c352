/**
 * Webhook sources: who may send events in by HTTP, by name, and what proves that it was them.
 *
 * Secrets are sealed before they are written, and stay sealed in memory. Keeps the rule that what is not signed comes in from this
 * machine only. Deliberately absent: receiving and checking (`gateway/webhook`).
 */
import { type Clock, type Instant, LambentError } from "../../base/index.ts";
import { type Cipher, type Realm, realmKey } from "../../model/index.ts";
import { standardSecretBytes, WEBHOOK_STYLES, type WebhookStyle } from "../../security/index.ts";
import { RealmTables, type Store } from "../../storage/index.ts";

/** Webhook sources of a realm. @limit */
const WEBHOOKS_MAX = 1_000;
/** Secrets of one source: the new one beside the old ones while they are changed. @limit */
const WEBHOOK_SECRETS_MAX = 4;
/** Characters of a secret. @limit */
const WEBHOOK_SECRET_CHARACTERS_MAX = 256;
/** A shorter one can be guessed. @limit */
const WEBHOOK_SECRET_CHARACTERS_MIN = 16;
/** Key bytes of a Standard Webhooks secret. @limit */
const STANDARD_SECRET_BYTES_MIN = 16;
/** Characters of a detail-type; EventBridge's. @limit */
const WEBHOOK_DETAIL_TYPE_CHARACTERS_MAX = 128;
/** Changes of webhook sources of one realm that wait for their turn (P7). @limit */
const WEBHOOK_CHANGES_WAITING_MAX = 1_000;

const NAME = /^[.\-_A-Za-z0-9]{1,64}$/;
const BUS_NAME = /^[.\-_/A-Za-z0-9]{1,256}$/;

interface WebhookBase {
  readonly name: string;
  /** Name of the event bus its events go to. */
  readonly bus: string;
  /** Undefined: what the sender says. */
  readonly detailType: string | undefined;
  readonly createdAt: Instant;
  readonly modifiedAt: Instant;
}

/** `sealed` holds the secrets, as base64. */
export type Webhook = WebhookBase &
  ({ readonly style: Exclude<WebhookStyle, "none">; readonly sealed: string; readonly secretCount: number } | { readonly style: "none" });

/** The secrets are opened. */
export interface WebhookCheck {
  readonly style: WebhookStyle;
  readonly secrets: readonly string[];
}

export interface WebhookDraft {
  readonly style: WebhookStyle;
  readonly bus: string;
  readonly detailType: string | undefined;
  /** Undefined: those it has. The first is the newest. */
  readonly secrets: readonly string[] | undefined;
}

export interface WebhooksParts {
  readonly store: Store;
  readonly cipher: Cipher;
  readonly clock: Clock;
  /** Whether the server listens where only this machine reaches it: what is not signed may come in. */
  readonly unsignedAllowed: boolean;
  /** Throws `NotFound` for a bus that is not there. */
  readonly requireBus: (realm: Realm, bus: string) => void;
}

export class Webhooks {
  readonly #parts: WebhooksParts;
  readonly #tables: RealmTables<Webhook>;

  private constructor(parts: WebhooksParts, tables: RealmTables<Webhook>) {
    this.#parts = parts;
    this.#tables = tables;
  }

  static async open(parts: WebhooksParts): Promise<Webhooks> {
    const tables = await RealmTables.load<Webhook>({
      store: parts.store,
      kind: "webhooks",
      prefix: "webhook/",
      changesWaitingMax: WEBHOOK_CHANGES_WAITING_MAX,
    });
    return new Webhooks(parts, tables);
  }

  /** Makes it, or makes it another one. Throws `InvalidParameter`, `LimitExceeded`, `NotFound` for the bus. */
  put(realm: Realm, name: string, draft: WebhookDraft): Promise<Webhook> {
    if (!NAME.test(name))
      throw new LambentError(
        "InvalidParameter",
        `Name is ${JSON.stringify(name.slice(0, 100))}; it has 1 to 64 letters, digits, dots, hyphens and underscores.`,
      );
    this.#checkDraft(draft);
    const table = this.#tables.of(realm);
    return table.changes.take(async () => {
      // Else senders are told of a bus that whoever made the source never hears of.
      this.#parts.requireBus(realm, draft.bus);
      const before = table.items.get(name);
      if (!before && table.items.size >= WEBHOOKS_MAX)
        throw new LambentError("LimitExceeded", `The account has ${WEBHOOKS_MAX} webhook sources in this region, which is the limit.`);
      const now = this.#parts.clock.now();
      const { style, bus, detailType } = draft;
      const base = { name, bus, detailType, createdAt: before?.createdAt ?? now, modifiedAt: now };
      const webhook: Webhook = style === "none" ? { ...base, style } : { ...base, style, ...this.#sealed(realm, name, draft, before) };
      await table.put(name, webhook);
      return webhook;
    });
  }

  /** Throws `NotFound`. */
  async remove(realm: Realm, name: string): Promise<void> {
    const table = this.#tables.of(realm);
    await table.changes.take(async () => {
      this.get(realm, name);
      await table.remove(name);
    });
  }

  /** Undefined when there is none of this name. */
  find(realm: Realm, name: string): Webhook | undefined {
    return this.#tables.of(realm).items.get(name);
  }

  /** Throws `NotFound`. */
  get(realm: Realm, name: string): Webhook {
    const webhook = this.find(realm, name);
    if (!webhook) throw new LambentError("NotFound", `There is no webhook source ${name}.`);
    return webhook;
  }

  /** In the order of names. */
  list(realm: Realm): readonly Webhook[] {
    return [...this.#tables.of(realm).items.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** What checks its messages; undefined for one that takes what is not signed, where others than this machine could send it. */
  check(realm: Realm, webhook: Webhook): WebhookCheck | undefined {
    if (webhook.style === "none" && !this.#parts.unsignedAllowed) return undefined;
    return { style: webhook.style, secrets: this.#secrets(realm, webhook) };
  }

  #secrets(realm: Realm, webhook: Webhook): readonly string[] {
    if (webhook.style === "none") return [];
    const bytes = this.#parts.cipher.open(Buffer.from(webhook.sealed, "base64"), sealContext(realm, webhook.name));
    return JSON.parse(bytes.toString("utf8")) as string[];
  }

  #checkDraft({ style, bus, detailType, secrets }: WebhookDraft): void {
    if (!WEBHOOK_STYLES.includes(style))
      throw new LambentError("InvalidParameter", `Style is ${String(style)}; it is one of ${WEBHOOK_STYLES.join(", ")}.`);
    if (style === "none" && !this.#parts.unsignedAllowed)
      throw new LambentError(
        "InvalidParameter",
        "Style none takes events from everybody; it is allowed only on a server that listens on loopback.",
      );
    if (style === "none" && secrets !== undefined && secrets.length > 0)
      throw new LambentError("InvalidParameter", "Style none checks no signature; it takes no secrets.");
    if (!BUS_NAME.test(bus))
      throw new LambentError("InvalidParameter", `Bus is ${JSON.stringify(bus.slice(0, 100))}, which is no name of an event bus.`);
    if (detailType !== undefined && (detailType === "" || detailType.length > WEBHOOK_DETAIL_TYPE_CHARACTERS_MAX))
      throw new LambentError(
        "InvalidParameter",
        `DetailType has ${detailType.length} characters; it has 1 to ${WEBHOOK_DETAIL_TYPE_CHARACTERS_MAX}.`,
      );
  }

  #sealed(realm: Realm, name: string, { style, secrets: given }: WebhookDraft, before: Webhook | undefined) {
    const secrets = given ?? (before ? this.#secrets(realm, before) : []);
    if (secrets.length < 1 || secrets.length > WEBHOOK_SECRETS_MAX)
      throw new LambentError(
        "InvalidParameter",
        `Secrets has ${secrets.length} entries; style ${style} needs 1 to ${WEBHOOK_SECRETS_MAX}.`,
      );
    for (const secret of secrets) checkSecret(style, secret);
    const sealed = this.#parts.cipher.seal(Buffer.from(JSON.stringify(secrets)), sealContext(realm, name)).toString("base64");
    return { sealed, secretCount: secrets.length };
  }
}

/** No message repeats a secret. */
function checkSecret(style: WebhookStyle, secret: string): void {
  if (secret.length < WEBHOOK_SECRET_CHARACTERS_MIN || secret.length > WEBHOOK_SECRET_CHARACTERS_MAX)
    throw new LambentError(
      "InvalidParameter",
      `A secret has ${secret.length} characters; it has ${WEBHOOK_SECRET_CHARACTERS_MIN} to ${WEBHOOK_SECRET_CHARACTERS_MAX}.`,
    );
  if (style !== "standard") return;
  const bytes = standardSecretBytes(secret)?.length;
  if (bytes === undefined || bytes < STANDARD_SECRET_BYTES_MIN)
    throw new LambentError(
      "InvalidParameter",
      `A secret of style standard is base64 of ${STANDARD_SECRET_BYTES_MIN} bytes at least, with or without whsec_ before it.`,
    );
}

function sealContext(realm: Realm, name: string): string {
  return `${realmKey(realm)}/webhook/${name}`;
}
