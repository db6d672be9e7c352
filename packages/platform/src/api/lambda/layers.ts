import type {
  AddLayerVersionPermissionRequest,
  AddLayerVersionPermissionResponse,
  DeleteLayerVersionRequest,
  GetLayerVersionByArnRequest,
  GetLayerVersionPolicyRequest,
  GetLayerVersionPolicyResponse,
  GetLayerVersionRequest,
  GetLayerVersionResponse,
  LayerVersionsListItem,
  ListLayersRequest,
  ListLayersResponse,
  ListLayerVersionsRequest,
  ListLayerVersionsResponse,
  PublishLayerVersionRequest,
  PublishLayerVersionResponse,
  RemoveLayerVersionPermissionRequest,
} from "@aws-sdk/client-lambda";
import { LambentError } from "../../base/index.ts";
import { documentOf, layerArn, parseLayerReference, type LayerVersionRecord, type ResourceStatement } from "../../functions/index.ts";
import type { Realm } from "../../model/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { zipOf } from "./code-input.ts";
import type { ManagementDependencies } from "./dependencies.ts";
import { principalOf } from "./permissions.ts";
import { lambdaTime } from "./shapes.ts";

/** Layers and their versions. @see Lambda API reference */
export function layerOperations({ functions: { layers }, code, codeLocation }: ManagementDependencies) {
  const shown = (realm: Realm, record: LayerVersionRecord, context: RequestContext): GetLayerVersionResponse => ({
    LayerArn: layerArn(realm, record.name),
    ...listed(realm, record),
    Content: { Location: codeLocation(record.code, context), CodeSha256: record.code.sha256, CodeSize: record.code.zipBytes },
  });
  return {
    async PublishLayerVersion(input: PublishLayerVersionRequest, context: RequestContext): Promise<PublishLayerVersionResponse> {
      const record = await layers.publish(context.realm, {
        name: ownLayer(input, context),
        zip: await zipOf(given(input.Content, "Content"), context, code),
        description: input.Description,
        licenseInfo: input.LicenseInfo,
        compatibleRuntimes: input.CompatibleRuntimes,
        compatibleArchitectures: input.CompatibleArchitectures,
      });
      return shown(context.realm, record, context);
    },

    GetLayerVersion(input: GetLayerVersionRequest, context: RequestContext): GetLayerVersionResponse {
      const name = ownLayer(input, context);
      return shown(context.realm, layers.get(context.realm, name, given(input.VersionNumber, "VersionNumber")), context);
    },

    GetLayerVersionByArn(input: GetLayerVersionByArnRequest, context: RequestContext): GetLayerVersionResponse {
      const { name, version, realm } = parseLayerReference(given(input.Arn, "Arn"), context.realm);
      requireOwn(realm, context);
      return shown(realm, layers.get(realm, name, given(version, "The version in Arn")), context);
    },

    ListLayers(input: ListLayersRequest, context: RequestContext): ListLayersResponse {
      const page = layers.list(context.realm, filterOf(input), { marker: input.Marker, maxItems: input.MaxItems });
      return {
        Layers: page.items.map((record) => ({
          LayerName: record.name,
          LayerArn: layerArn(context.realm, record.name),
          LatestMatchingVersion: listed(context.realm, record),
        })),
        NextMarker: page.nextMarker,
      };
    },

    ListLayerVersions(input: ListLayerVersionsRequest, context: RequestContext): ListLayerVersionsResponse {
      const page = layers.listVersions(context.realm, ownLayer(input, context), filterOf(input), {
        marker: input.Marker,
        maxItems: input.MaxItems,
      });
      return { LayerVersions: page.items.map((record) => listed(context.realm, record)), NextMarker: page.nextMarker };
    },

    async DeleteLayerVersion(input: DeleteLayerVersionRequest, context: RequestContext): Promise<void> {
      await layers.remove(context.realm, ownLayer(input, context), given(input.VersionNumber, "VersionNumber"));
    },
  };
}

/** Who else may use a layer. @see Lambda API reference */
export function layerPolicyOperations({ functions: { layers } }: ManagementDependencies) {
  return {
    async AddLayerVersionPermission(
      input: AddLayerVersionPermissionRequest,
      context: RequestContext,
    ): Promise<AddLayerVersionPermissionResponse> {
      const name = ownLayer(input, context);
      const version = given(input.VersionNumber, "VersionNumber");
      const statement = layerStatement(input, layerArn(context.realm, name, version));
      const policy = await layers.addStatement(context.realm, name, version, statement, input.RevisionId);
      return { Statement: JSON.stringify(statement), RevisionId: policy.revisionId };
    },

    GetLayerVersionPolicy(input: GetLayerVersionPolicyRequest, context: RequestContext): GetLayerVersionPolicyResponse {
      const { policy } = layers.get(context.realm, ownLayer(input, context), given(input.VersionNumber, "VersionNumber"));
      if (!policy) throw new LambentError("NotFound", "No policy is associated with the given resource.");
      return { Policy: JSON.stringify(documentOf(policy.statements)), RevisionId: policy.revisionId };
    },

    async RemoveLayerVersionPermission(input: RemoveLayerVersionPermissionRequest, context: RequestContext): Promise<void> {
      const version = given(input.VersionNumber, "VersionNumber");
      await layers.removeStatement(
        context.realm,
        ownLayer(input, context),
        version,
        given(input.StatementId, "StatementId"),
        input.RevisionId,
      );
    },
  };
}

function layerStatement(input: AddLayerVersionPermissionRequest, resource: string): ResourceStatement {
  return {
    Sid: given(input.StatementId, "StatementId"),
    Effect: "Allow",
    Principal: principalOf(given(input.Principal, "Principal")),
    Action: given(input.Action, "Action"),
    Resource: resource,
    ...(input.OrganizationId === undefined ? {} : { Condition: { StringEquals: { "aws:PrincipalOrgID": input.OrganizationId } } }),
  };
}

function ownLayer(input: { readonly LayerName: string | undefined }, context: RequestContext): string {
  const { name, realm } = parseLayerReference(given(input.LayerName, "LayerName"), context.realm);
  requireOwn(realm, context);
  return name;
}

/** Other accounts' layers are used by functions, not read: their owners may have shared no more than that. */
function requireOwn(realm: Realm, context: RequestContext): void {
  if (realm.account !== context.realm.account)
    throw new LambentError("AccessDenied", `The layer belongs to account ${realm.account}, this request to ${context.realm.account}.`);
}

function filterOf(input: ListLayersRequest | ListLayerVersionsRequest) {
  return { runtime: input.CompatibleRuntime, architecture: input.CompatibleArchitecture };
}

function listed(realm: Realm, record: LayerVersionRecord): LayerVersionsListItem {
  return {
    LayerVersionArn: layerArn(realm, record.name, record.version),
    Version: record.version,
    Description: record.description,
    CreatedDate: lambdaTime(record.createdAt),
    LicenseInfo: record.licenseInfo,
    CompatibleRuntimes: [...record.compatibleRuntimes] as NonNullable<LayerVersionsListItem["CompatibleRuntimes"]>,
    CompatibleArchitectures: [...record.compatibleArchitectures] as NonNullable<LayerVersionsListItem["CompatibleArchitectures"]>,
  };
}
