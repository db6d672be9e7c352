import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { LayerVersionRecord, ResourcePolicy, ResourceStatement } from "../records.ts";
import type { Registry } from "../registry.ts";
import {
  CODE_STORAGE_BYTES_MAX,
  DESCRIPTION_LENGTH_MAX,
  LAYER_NAME_LENGTH_MAX,
  LAYERS_PER_REALM_MAX,
  VERSIONS_PER_LAYER_MAX,
} from "../rules/limits.ts";
import { layerArn } from "../rules/names.ts";
import { numberKey, page, type Page, type PageRequest } from "../rules/paging.ts";
import { withoutStatement, withStatement } from "../rules/policies.ts";
import type { CodeKeeper } from "./code-keeper.ts";

export interface LayerInput {
  readonly name: string;
  readonly zip: Uint8Array;
  readonly description?: string | undefined;
  readonly licenseInfo?: string | undefined;
  readonly compatibleRuntimes?: readonly string[] | undefined;
  readonly compatibleArchitectures?: readonly string[] | undefined;
}

export interface LayerFilter {
  readonly runtime?: string | undefined;
  readonly architecture?: string | undefined;
}

/** Layers: numbered, unchangeable trees that functions find under `/opt`. */
export class Layers {
  readonly #registry: Registry;
  readonly #keeper: CodeKeeper;

  constructor(registry: Registry, keeper: CodeKeeper) {
    this.#registry = registry;
    this.#keeper = keeper;
  }

  /** Publishes the next version of a layer. `InvalidParameter`, `InvalidCode`, `RequestTooLarge`, `LimitExceeded`, `CodeStorageExceeded`. */
  async publish(realm: Realm, input: LayerInput): Promise<LayerVersionRecord> {
    requireLayerName(input.name);
    if ((input.description ?? "").length > DESCRIPTION_LENGTH_MAX) {
      throw new LambentError(
        "InvalidParameter",
        `Description has ${input.description?.length} characters; at most ${DESCRIPTION_LENGTH_MAX} are allowed.`,
      );
    }
    return await this.#keeper.hold(input.zip, (code) =>
      this.#registry.change(realm, (state) => {
        const versions = state.layers.get(input.name);
        if (!versions && state.layers.size >= LAYERS_PER_REALM_MAX)
          throw new LambentError("LimitExceeded", `There are ${state.layers.size} layers; at most ${LAYERS_PER_REALM_MAX} are allowed.`);
        if (versions && versions.size >= VERSIONS_PER_LAYER_MAX) {
          throw new LambentError(
            "LimitExceeded",
            `${input.name} has ${versions.size} versions; at most ${VERSIONS_PER_LAYER_MAX} are allowed.`,
          );
        }
        const bytes = state.codeBytes() + (state.usesCode(code) ? 0 : code.zipBytes);
        if (bytes > CODE_STORAGE_BYTES_MAX)
          throw new LambentError("CodeStorageExceeded", `Code storage limit exceeded: ${bytes} of ${CODE_STORAGE_BYTES_MAX} bytes.`);
        const createdAt = this.#registry.clock.now();
        const { number: version, writes } = state.nextNumber("layer", input.name, createdAt);
        const value: LayerVersionRecord = {
          name: input.name,
          version,
          description: input.description ?? "",
          licenseInfo: input.licenseInfo,
          compatibleRuntimes: input.compatibleRuntimes ?? [],
          compatibleArchitectures: input.compatibleArchitectures ?? [],
          createdAt,
          code,
          policy: undefined,
        };
        return {
          writes: [{ kind: "layerVersion", name: input.name, version, value }, ...writes],
          result: value,
        };
      }),
    );
  }

  /** `NotFound`. */
  get(realm: Realm, name: string, version: number): LayerVersionRecord {
    const record = this.#registry.state(realm).layers.get(name)?.get(version);
    if (!record) throw new LambentError("NotFound", `The resource you requested does not exist: ${layerArn(realm, name, version)}`);
    return record;
  }

  /** The newest fitting version of each layer, by name. */
  list(realm: Realm, filter: LayerFilter, request: PageRequest): Page<LayerVersionRecord> {
    const newest = [...this.#registry.state(realm).layers.values()].flatMap((versions) => {
      const fitting = [...versions.values()].filter((version) => fits(version, filter));
      return fitting.toSorted((a, b) => b.version - a.version).slice(0, 1);
    });
    return page(newest, (layer) => layer.name, request);
  }

  /** Versions of one layer, the newest first; none for a layer there is not. */
  listVersions(realm: Realm, name: string, filter: LayerFilter, request: PageRequest): Page<LayerVersionRecord> {
    const versions = [...(this.#registry.state(realm).layers.get(name)?.values() ?? [])].filter((version) => fits(version, filter));
    return page(versions, (version) => numberKey(Number.MAX_SAFE_INTEGER - version.version), request);
  }

  /** Deletes a version; functions that use it keep their code. Nothing happens when there is none. */
  async remove(realm: Realm, name: string, version: number): Promise<void> {
    await this.#registry.change(realm, (state) => {
      if (!state.layers.get(name)?.has(version)) return { writes: [], result: undefined };
      return { writes: [{ kind: "layerVersion", name, version, value: undefined }], result: undefined };
    });
  }

  /** `NotFound`, `AlreadyExists` for the statement's id, `RevisionMismatch`, `PolicyTooLong`. */
  async addStatement(
    realm: Realm,
    name: string,
    version: number,
    statement: ResourceStatement,
    revisionId: string | undefined,
  ): Promise<ResourcePolicy> {
    return await this.#registry.change(realm, () => {
      const record = this.get(realm, name, version);
      const policy = withStatement(record.policy, statement, revisionId, this.#registry.secureRandom.uuid());
      return { writes: [{ kind: "layerVersion", name, version, value: { ...record, policy } }], result: policy };
    });
  }

  /** `NotFound` for version or statement; `RevisionMismatch`. */
  async removeStatement(realm: Realm, name: string, version: number, sid: string, revisionId: string | undefined): Promise<void> {
    await this.#registry.change(realm, () => {
      const record = this.get(realm, name, version);
      const policy = withoutStatement(record.policy, sid, revisionId, this.#registry.secureRandom.uuid());
      return { writes: [{ kind: "layerVersion", name, version, value: { ...record, policy } }], result: undefined };
    });
  }
}

function requireLayerName(name: string): void {
  if (name.length > LAYER_NAME_LENGTH_MAX || !/^[a-zA-Z0-9-_]+$/.test(name)) {
    throw new LambentError(
      "InvalidParameter",
      `LayerName is ${JSON.stringify(name.slice(0, 200))}; it is 1 to ${LAYER_NAME_LENGTH_MAX} letters, digits, - and _.`,
    );
  }
}

/** A layer that names no runtime fits all of them only when none is asked for, as in AWS. */
function fits(version: LayerVersionRecord, filter: LayerFilter): boolean {
  if (filter.runtime !== undefined && !version.compatibleRuntimes.includes(filter.runtime)) return false;
  return filter.architecture === undefined || version.compatibleArchitectures.includes(filter.architecture);
}
