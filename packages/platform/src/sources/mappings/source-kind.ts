/** What a kind of source brings: which mappings of it there may be, and what serves one. `sources.ts` knows kinds by this only. */
import type { Realm } from "../../model/index.ts";
import type { Mapping, MappingSource, QueueSource, StartingPosition, StreamSource } from "./mapping.ts";

/** Serves one mapping. */
export interface Reader {
  /** Takes over what the mapping is set to now; resolves once it holds. */
  configure(mapping: Mapping): Promise<void> | void;
  /** Nothing happens when it has been started. */
  start(): void;
  /** Begins nothing new; resolves once what is in flight has ended. */
  stop(): Promise<void>;
  /** It was stopped, and its mapping is no more: what it kept goes. */
  forget(): Promise<void>;
}

/** What a mapping is to read, before there is one. */
export type WantedSource = Pick<QueueSource, "kind" | "name"> | WantedStream;
export type WantedStream = StreamSource extends infer S
  ? S extends StreamSource
    ? Omit<S, "start"> & { readonly start: WantedStart }
    : never
  : never;
export type WantedStart = StartingPosition | { readonly kind: "latest" };

export interface Draft {
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly source: WantedSource;
  readonly settings: Mapping["settings"];
}

export interface SourceKind {
  /** The source as the mapping keeps it. Throws `NotFound` for the function, `InvalidParameter` and others for source and settings. */
  admit(realm: Realm, draft: Draft): Promise<MappingSource>;
  /** Two mappings of one function read the same. */
  isSame(left: MappingSource, right: MappingSource): boolean;
  /** What is said of a second one. */
  alreadyThere(realm: Realm, mapping: Mapping): string;
  reader(realm: Realm, mapping: Mapping): Reader;
  /** Takes up what earlier runs left, of mappings that are there or are no more. */
  start(isThere: (realm: Realm, uuid: string) => boolean): void;
  /** All its readers have stopped, or are not waited for any longer. */
  close(): Promise<void>;
}
